k8s-lab image build . --tag affiche:v1
kubectl rollout restart deployment/affiche
kubectl rollout status deployment/affiche --timeout=60s
