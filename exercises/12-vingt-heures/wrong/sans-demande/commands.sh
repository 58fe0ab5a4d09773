kubectl autoscale deployment boutique --min=1 --max=5 --cpu=50%
