{
    "refus": ...,
    "sans_noeud": ...,
    "deployment_seul": ...,
    "noeud_muet": ...,
    "nom_inconnu": ...,
    "service_muet": ...,
}
