kubectl delete pods --all --timeout 30s
