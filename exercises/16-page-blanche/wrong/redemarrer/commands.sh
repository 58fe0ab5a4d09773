kubectl rollout restart deployment/boutique deployment/avis
