k8s-lab image build . --tag affiche:1
