{"noeud_muet": "kube-scheduler"}
