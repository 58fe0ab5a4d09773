kubectl apply -k .
kubectl rollout status deployment/vitrine-noel --timeout=60s
