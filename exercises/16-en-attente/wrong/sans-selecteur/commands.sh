kubectl patch deployment carnet --type json --patch '[{"op": "remove", "path": "/spec/template/spec/nodeSelector"}]'
