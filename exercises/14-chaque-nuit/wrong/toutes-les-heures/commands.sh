kubectl create cronjob rapport --image=vitrine:v1 --schedule="2 * * * *" -- python3 -c "import urllib.request as u; print(u.urlopen('http://boutique/api/info', timeout=5).read().decode())"
