kubectl rollout restart deployment bibliotheque
