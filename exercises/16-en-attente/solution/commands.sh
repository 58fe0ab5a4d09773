kubectl patch deployment carnet --type json --patch '[{"op": "remove", "path": "/spec/template/spec/nodeSelector"}]'
kubectl delete persistentvolumeclaim notes --wait=false
kubectl scale deployment/carnet --replicas 0
kubectl wait --for=delete persistentvolumeclaim/notes --timeout 60s
kubectl apply -f demande.yaml
kubectl scale deployment/carnet --replicas 1
kubectl rollout status deployment/carnet --timeout 60s
