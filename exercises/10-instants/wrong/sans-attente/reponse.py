{"arret_au_plus_tard": 40}
