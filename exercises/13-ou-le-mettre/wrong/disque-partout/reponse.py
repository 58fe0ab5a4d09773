{
    "vignettes": "PersistentVolumeClaim",
    "commandes": "PersistentVolumeClaim",
    "agent": "PersistentVolumeClaim",
    "calcul": "PersistentVolumeClaim",
    "compteur": "PersistentVolumeClaim",
}
