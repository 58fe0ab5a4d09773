fabricant=$(kubectl get storageclass standard -o custom-columns=F:.provisioner --no-headers)
sed "s|FABRICANT|$fabricant|" sans-politique.yaml | kubectl apply -f -
