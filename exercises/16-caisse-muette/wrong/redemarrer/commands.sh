kubectl rollout restart deployment/stock deployment/caisse
kubectl rollout status deployment/stock --timeout 60s
kubectl rollout status deployment/caisse --timeout 60s
