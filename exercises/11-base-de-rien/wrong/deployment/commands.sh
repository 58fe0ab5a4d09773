kubectl apply -f base.yaml -f service.yaml
