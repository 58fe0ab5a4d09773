kubectl patch deployment cantine --type=json --patch '[{"op": "remove", "path": "/spec/template/spec/containers/0/livenessProbe"}]'
