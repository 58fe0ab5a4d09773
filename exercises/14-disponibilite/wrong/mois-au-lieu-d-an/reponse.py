{"disponibilite_7_3_h_par_an": 99}
