kubectl apply -f tout-en-v1.yaml
