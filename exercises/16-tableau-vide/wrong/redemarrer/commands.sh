kubectl rollout restart deployment/tableau
kubectl rollout status deployment/tableau --timeout 60s
