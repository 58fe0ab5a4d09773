kubectl apply -f poids-egaux.yaml
