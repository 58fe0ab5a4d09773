kubectl rollout undo deployment/boutique
