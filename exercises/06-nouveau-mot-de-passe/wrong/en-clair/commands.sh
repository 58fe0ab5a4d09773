kubectl set env deployment/caisse MOT_DE_PASSE=mirabelle-4821
kubectl rollout status deployment/caisse --timeout=60s
