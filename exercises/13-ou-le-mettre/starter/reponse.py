{
    "vignettes": ...,
    "commandes": ...,
    "agent": ...,
    "calcul": ...,
    "compteur": ...,
}
