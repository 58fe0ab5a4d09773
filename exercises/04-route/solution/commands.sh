kubectl apply -f route.yaml
