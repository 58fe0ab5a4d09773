{
    "pret_au_plus_tot": 33,
    "pret_au_plus_tard": 43,
    "arret_au_plus_tot": 40,
    "arret_au_plus_tard": 55,
}
