fabricant=$(kubectl get storageclass standard -o custom-columns=F:.provisioner --no-headers)
sed "s|FABRICANT|$fabricant|" sans-demande.yaml | kubectl apply -f -
