kubectl apply -f ../../solution/configuration.yaml
kubectl apply -f base.yaml
kubectl apply -f ../../solution/web.yaml
kubectl apply -f ../../solution/ingress.yaml
kubectl apply -f ../../solution/ouvrier.yaml
kubectl rollout status deployment/base
kubectl rollout status deployment/web
kubectl rollout status deployment/ouvrier
