for pod in accueil-1 accueil-2 accueil-3; do
  kubectl run "$pod" --image=vitrine:v1 --labels=app=accueil --port=8080
done
kubectl create service clusterip accueil --tcp=80:8080
kubectl wait --for=condition=Ready pod -l app=accueil --timeout=60s
