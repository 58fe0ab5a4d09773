kubectl apply -f seulement-la-gateway.yaml
