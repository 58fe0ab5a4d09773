kubectl create cronjob rapport --image=vitrine:v1 --schedule="0 2 * * *" -- python3 -c "import urllib.request as u; print(u.urlopen('http://localhost:8080/api/info', timeout=5).read().decode())"
