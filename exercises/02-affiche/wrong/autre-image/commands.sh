kubectl set image deployment/affiche site=vitrine:v1
kubectl rollout status deployment/affiche --timeout=60s
