kubectl rollout restart deployment/boutique
