kubectl patch deployment journal --type json --patch '[{"op": "replace", "path": "/spec/template/spec/containers/1/ports/0/containerPort", "value": 8081}]'
