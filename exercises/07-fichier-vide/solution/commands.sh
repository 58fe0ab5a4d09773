kubectl apply -f accueil.yaml
kubectl rollout status deployment/accueil --timeout=60s
