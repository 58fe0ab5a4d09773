kubectl create rolebinding tableau-admin --clusterrole=admin --serviceaccount="$(kubectl config view --minify --output jsonpath={..namespace}):tableau"
