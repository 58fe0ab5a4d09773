kubectl patch configmap bibliotheque --patch '{"data": {"texte_accueil": "Ouvert de 8 h à 20 h, silence au deuxième étage"}}'
kubectl rollout status deployment bibliotheque --timeout=60s
