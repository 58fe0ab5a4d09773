kubectl set env deployment/avis STARTUP_SECONDS=0
kubectl rollout status deployment/avis --timeout 60s
kubectl rollout status deployment/boutique --timeout 60s
