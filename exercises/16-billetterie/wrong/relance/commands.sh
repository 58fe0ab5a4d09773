kubectl rollout restart deployment billetterie
kubectl rollout status deployment billetterie --timeout=60s
