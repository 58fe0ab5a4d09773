kubectl set resources deployment boutique --requests=cpu=100m
kubectl autoscale deployment boutique --min=1 --max=5 --cpu=50%
