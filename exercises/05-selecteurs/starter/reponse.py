{
    "boutique": ...,
    "boutique_en_production": ...,
    "vente_ou_finance": ...,
    "pas_a_l_essai": ...,
    "sans_equipe": ...,
    "equipe_en_production": ...,
}
