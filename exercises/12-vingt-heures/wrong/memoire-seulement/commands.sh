kubectl set resources deployment boutique --requests=memory=64Mi
kubectl autoscale deployment boutique --min=1 --max=5 --cpu=50%
