kubectl patch deployment boutique --type json --patch '[{"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}]'
kubectl rollout status deployment/boutique --timeout 60s
