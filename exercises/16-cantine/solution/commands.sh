kubectl patch deployment cantine --patch-file demarrage.yaml
kubectl rollout status deployment cantine --timeout=60s
