fabricant=$(kubectl get storageclass standard -o custom-columns=F:.provisioner --no-headers)
sed "s|FABRICANT|$fabricant|" autre-fabricant.yaml | kubectl apply -f -
