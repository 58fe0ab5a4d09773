kubectl delete persistentvolumeclaim notes --wait=false
kubectl scale deployment/carnet --replicas 0
kubectl wait --for=delete persistentvolumeclaim/notes --timeout 60s
kubectl apply -f demande.yaml
kubectl scale deployment/carnet --replicas 1
