kubectl patch deployment recherche-v1 -p '{"spec": {"template": {"metadata": {"labels": {"trafic": "ouvert"}}}}}'
kubectl annotate service recherche exemple.fr/contact='Zoé, bureau 12'
