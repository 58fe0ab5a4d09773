kubectl scale deployment/stock --replicas 4
kubectl rollout status deployment/stock --timeout 60s
