kubectl patch deployment boutique --type json --patch '[{
  "op": "replace",
  "path": "/spec/template/spec/containers/0/readinessProbe",
  "value": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
}]'
kubectl rollout status deployment/boutique --timeout 60s
