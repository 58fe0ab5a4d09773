kubectl set env deployment/journal --containers=redaction PORT=8081
kubectl rollout status deployment/journal --timeout=60s
