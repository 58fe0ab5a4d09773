kubectl patch deployment boutique --patch '{"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}}'
kubectl rollout status deployment/boutique --timeout 60s
