kubectl apply -f deux-pods.yaml
kubectl rollout status deployment/accueil --timeout=60s
