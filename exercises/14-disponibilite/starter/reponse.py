{
    "minutes_a_99_9": ...,
    "disponibilite_7_3_h_par_an": ...,
    "trois_services_a_99_9": ...,
}
