kubectl apply -f trop-petit.yaml
