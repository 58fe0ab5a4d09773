kubectl patch deployment photos --type=json --patch '[{"op": "remove", "path": "/spec/template/spec/containers/0/resources/limits"}]'
