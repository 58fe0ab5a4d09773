kubectl apply -f etiquette.yaml
kubectl rollout status deployment/accueil --timeout=60s
