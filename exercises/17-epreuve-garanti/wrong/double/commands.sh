kubectl apply -f pod.yaml
