kubectl create role voir --verb=get,list,watch --resource=pods
kubectl create rolebinding voir --role=voir --serviceaccount="$(kubectl config view --minify --output jsonpath={..namespace}):default"
kubectl set serviceaccount deployment tableau default
kubectl rollout status deployment/tableau --timeout 60s
