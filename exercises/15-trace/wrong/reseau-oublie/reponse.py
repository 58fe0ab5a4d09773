{
    "service": "tarifs",
    "reseau": 380,
    "ensemble": 320,
}
