kubectl patch deployment carnet --type json --patch '[
  {"op": "remove", "path": "/spec/template/spec/nodeSelector"},
  {"op": "replace", "path": "/spec/template/spec/volumes/0", "value": {"name": "notes", "emptyDir": {}}}
]'
kubectl rollout status deployment/carnet --timeout 60s
