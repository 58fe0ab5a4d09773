{
    "minutes_a_99_9": 43.8,
    "disponibilite_7_3_h_par_an": 99.917,
    "trois_services_a_99_9": 99.7,
}
