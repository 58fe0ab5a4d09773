kubectl delete pod -l app=cantine
