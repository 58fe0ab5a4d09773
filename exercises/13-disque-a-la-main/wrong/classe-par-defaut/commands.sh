kubectl apply -f classe-par-defaut.yaml
