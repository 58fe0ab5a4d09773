{
    "equipe_en_production": 5,
}
