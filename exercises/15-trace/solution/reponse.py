{
    "service": "tarifs",
    "reseau": 30,
    "ensemble": 320,
}
