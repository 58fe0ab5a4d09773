kubectl apply -f ../../solution/configuration.yaml
kubectl apply -f ../../solution/base.yaml
kubectl apply -f web.yaml
kubectl apply -f ../../solution/ingress.yaml
kubectl apply -f ../../solution/ouvrier.yaml
kubectl rollout status statefulset/base
kubectl rollout status deployment/web
kubectl rollout status deployment/ouvrier
