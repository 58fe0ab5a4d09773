{
    "association": "PaaS",
    "erp": "Machine virtuelle",
    "equipe_de_quatre": "Docker Compose",
    "vignettes": "Serverless",
    "place_de_marche": "Kubernetes",
}
