kubectl label pods -l version=v1 trafic=ouvert
kubectl label service recherche exemple.fr/contact=Zoe
