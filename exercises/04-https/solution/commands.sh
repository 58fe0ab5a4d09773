folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=achats.example.com" -addext "subjectAltName=DNS:achats.example.com" -keyout "$folder/achats.key" -out "$folder/achats.crt"
kubectl create secret tls certificat-achats --cert="$folder/achats.crt" --key="$folder/achats.key"
kubectl apply -f ingress.yaml
