kubectl patch deployment cantine --type=json --patch '[{"op": "replace", "path": "/spec/template/spec/containers/0/livenessProbe/failureThreshold", "value": 300}]'
