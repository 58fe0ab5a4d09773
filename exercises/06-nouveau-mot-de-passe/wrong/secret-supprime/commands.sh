kubectl delete secret acces
kubectl create secret generic acces --from-literal=motdepasse=mirabelle-4821
kubectl rollout restart deployment/caisse
