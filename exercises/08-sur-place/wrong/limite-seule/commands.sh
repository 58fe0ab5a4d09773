kubectl patch pod calcul --subresource resize --patch \
  '{"spec": {"containers": [{"name": "vitrine", "resources": {"limits": {"cpu": "500m"}}}]}}' || true
