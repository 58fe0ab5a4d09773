kubectl apply -f droits.yaml
