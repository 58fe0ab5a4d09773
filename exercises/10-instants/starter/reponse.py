{
    "pret_au_plus_tot": ...,
    "pret_au_plus_tard": ...,
    "arret_au_plus_tot": ...,
    "arret_au_plus_tard": ...,
}
