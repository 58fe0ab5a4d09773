kubectl get pod calcul -o yaml | sed 's/cpu: 100m/cpu: 500m/' | kubectl replace --force -f -
kubectl wait --for=condition=Ready pod/calcul --timeout=60s
