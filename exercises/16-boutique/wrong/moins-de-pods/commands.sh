kubectl set image deployment/boutique site=vitrine:v2
kubectl scale deployment/boutique --replicas=1
kubectl rollout status deployment/boutique --timeout=60s
