kubectl set resources deployment boutique --requests=cpu=100m
kubectl autoscale deployment boutique --min=1 --max=1 --cpu=50%
