kubectl create cronjob rapport --image=vitrine:v1 --schedule="0 2 * * *"
