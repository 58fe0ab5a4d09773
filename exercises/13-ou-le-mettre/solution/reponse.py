{
    "vignettes": "emptyDir",
    "commandes": "PersistentVolumeClaim",
    "agent": "hostPath",
    "calcul": "fichiers du conteneur",
    "compteur": "emptyDir",
}
