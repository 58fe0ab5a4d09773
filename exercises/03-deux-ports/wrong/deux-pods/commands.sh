kubectl patch deployment journal --type json --patch '[{"op": "remove", "path": "/spec/template/spec/containers/1"}]'
kubectl apply -f redaction.yaml
kubectl rollout status deployment/journal --timeout=60s
kubectl rollout status deployment/redaction --timeout=60s
