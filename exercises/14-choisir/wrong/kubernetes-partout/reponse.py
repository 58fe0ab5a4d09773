{
    "association": "Kubernetes",
    "erp": "Kubernetes",
    "equipe_de_quatre": "Kubernetes",
    "vignettes": "Kubernetes",
}
