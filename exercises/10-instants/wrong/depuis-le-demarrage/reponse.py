{"pret_au_plus_tard": 35}
