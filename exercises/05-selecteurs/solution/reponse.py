{
    "boutique": 4,
    "boutique_en_production": 2,
    "vente_ou_finance": 5,
    "pas_a_l_essai": 6,
    "sans_equipe": 1,
    "equipe_en_production": 4,
}
