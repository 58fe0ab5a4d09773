kubectl rollout undo deployment/boutique
kubectl patch deployment boutique -p '{"spec": {"template": {"spec": {"containers": [{"name": "site", "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 8080}, "periodSeconds": 1}}]}}}}'
kubectl rollout status deployment/boutique --timeout=60s
