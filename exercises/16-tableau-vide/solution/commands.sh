kubectl patch role lecture --type json --patch '[{"op": "replace", "path": "/rules/0/resources", "value": ["pods"]}]'
