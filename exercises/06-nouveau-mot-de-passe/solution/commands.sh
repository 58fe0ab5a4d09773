kubectl create secret generic acces --from-literal=mot-de-passe=mirabelle-4821 --dry-run=client -o yaml | kubectl apply -f -
kubectl rollout restart deployment/caisse
kubectl rollout status deployment/caisse --timeout=60s
