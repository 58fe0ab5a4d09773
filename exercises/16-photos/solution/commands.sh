kubectl set resources deployment photos --limits=memory=192Mi
kubectl rollout status deployment photos --timeout=60s
