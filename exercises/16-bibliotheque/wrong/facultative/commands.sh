kubectl patch deployment bibliotheque --type=json --patch '[{"op": "add", "path": "/spec/template/spec/containers/0/env/0/valueFrom/configMapKeyRef/optional", "value": true}]'
