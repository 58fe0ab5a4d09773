kubectl set resources deployment boutique --requests=cpu=100m
kubectl scale deployment boutique --replicas=5
