{"commandes": "hostPath"}
