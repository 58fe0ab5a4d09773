{
    "boutique_en_production": 7,
}
