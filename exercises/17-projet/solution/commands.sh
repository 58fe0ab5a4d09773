kubectl apply -f configuration.yaml
kubectl apply -f base.yaml
kubectl apply -f web.yaml -f ingress.yaml
kubectl apply -f ouvrier.yaml
kubectl rollout status statefulset/base
kubectl rollout status deployment/web
kubectl rollout status deployment/ouvrier
