kubectl apply -f port.yaml
kubectl rollout status deployment/accueil --timeout=60s
