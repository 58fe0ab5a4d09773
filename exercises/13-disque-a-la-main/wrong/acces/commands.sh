kubectl apply -f acces.yaml
