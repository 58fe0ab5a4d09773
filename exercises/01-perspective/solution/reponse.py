{
    "heroku_pour_heroku": "IaaS",
    "heroku_pour_vous": "PaaS",
    "heroku_pour_votre_client": "SaaS",
    "cluster_manage": "CaaS",
    "vignette": "FaaS",
    "salle_serveurs": "On-Premise",
}
