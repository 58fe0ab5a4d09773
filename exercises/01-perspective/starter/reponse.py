{
    "heroku_pour_heroku": ...,
    "heroku_pour_vous": ...,
    "heroku_pour_votre_client": ...,
    "cluster_manage": ...,
    "vignette": ...,
    "salle_serveurs": ...,
}
