{
    "pas_a_l_essai": 5,
}
