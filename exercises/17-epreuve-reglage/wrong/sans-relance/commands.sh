kubectl apply -f application.yaml
kubectl rollout status deployment/@nom@
kubectl create configmap reglages --from-literal=MESSAGE="@phrase@" --dry-run=client -o yaml | kubectl apply -f -
