kubectl apply -f quota.yaml
kubectl apply -f application.yaml
