kubectl set image deployment/boutique site=vitrine:2
