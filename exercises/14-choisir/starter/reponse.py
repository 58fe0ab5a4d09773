{
    "association": ...,
    "erp": ...,
    "equipe_de_quatre": ...,
    "vignettes": ...,
    "place_de_marche": ...,
}
