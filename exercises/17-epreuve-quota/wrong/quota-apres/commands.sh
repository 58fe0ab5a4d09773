kubectl apply -f ../../solution/application.yaml
kubectl rollout status deployment/@nom@
kubectl apply -f ../../solution/quota.yaml
