kubectl patch secret acces -p "{\"stringData\": {\"mot-de-passe\": \"$(printf mirabelle-4821 | base64)\"}}"
kubectl rollout restart deployment/caisse
kubectl rollout status deployment/caisse --timeout=60s
