folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=boutique.example.com" -addext "subjectAltName=DNS:boutique.example.com" -keyout "$folder/achats.key" -out "$folder/achats.crt"
kubectl create secret tls certificat-achats --cert="$folder/achats.crt" --key="$folder/achats.key"
kubectl apply -f autre-nom.yaml
