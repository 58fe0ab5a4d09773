kubectl patch pod calcul --subresource resize --patch \
  '{"spec": {"containers": [{"name": "vitrine", "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "500m"}}}]}}'
