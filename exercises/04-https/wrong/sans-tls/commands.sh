kubectl apply -f sans-tls.yaml
