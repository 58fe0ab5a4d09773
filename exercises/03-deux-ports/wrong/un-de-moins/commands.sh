kubectl patch deployment journal --type json --patch '[{"op": "remove", "path": "/spec/template/spec/containers/1"}]'
kubectl rollout status deployment/journal --timeout=60s
