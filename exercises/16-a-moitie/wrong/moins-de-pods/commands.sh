kubectl scale deployment/boutique --replicas 2
kubectl rollout status deployment/boutique --timeout 60s
