kubectl apply -f application.yaml
