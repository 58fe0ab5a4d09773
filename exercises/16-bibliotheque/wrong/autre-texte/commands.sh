kubectl patch configmap bibliotheque --patch '{"data": {"texte_accueil": "Bienvenue à la bibliothèque"}}'
