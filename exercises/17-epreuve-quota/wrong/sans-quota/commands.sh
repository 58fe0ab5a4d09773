kubectl create deployment @nom@ --image=vitrine:v1 --replicas=@demandes@
