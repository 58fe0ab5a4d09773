{"arret_au_plus_tot": 55}
