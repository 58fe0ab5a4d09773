kubectl label pods -l app=recherche trafic=ouvert
kubectl annotate service recherche exemple.fr/contact='Zoé, bureau 12'
