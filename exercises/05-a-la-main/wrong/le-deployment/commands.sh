kubectl label deployment recherche-v1 trafic=ouvert
kubectl annotate service recherche exemple.fr/contact='Zoé, bureau 12'
