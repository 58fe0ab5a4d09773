kubectl patch pod calcul --subresource resize --patch \
  '{"spec": {"containers": [{"name": "vitrine", "resources": {"requests": {"memory": "256Mi"}, "limits": {"memory": "256Mi"}}}]}}'
