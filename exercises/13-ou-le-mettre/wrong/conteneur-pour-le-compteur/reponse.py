{"compteur": "fichiers du conteneur"}
