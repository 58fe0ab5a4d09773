{
    "service": "site",
    "reseau": 30,
    "ensemble": 320,
}
