kubectl patch resourcequota equipe --patch '{"spec": {"hard": {"requests.memory": "400Mi"}}}'
kubectl rollout status deployment/boutique --timeout 60s
