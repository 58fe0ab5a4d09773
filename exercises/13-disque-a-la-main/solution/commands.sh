kubectl apply -f disque.yaml
