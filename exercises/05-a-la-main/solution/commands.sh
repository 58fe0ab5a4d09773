kubectl label pods -l version=v1 trafic=ouvert
kubectl annotate service recherche exemple.fr/contact='Zoé, bureau 12'
