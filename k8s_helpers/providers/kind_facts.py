"""What a kind cluster does as production does, and what it does not."""

from __future__ import annotations

from . import kind_config
from .base import Fact

FACTS = (
    Fact(
        "Plan de contrôle",
        True,
        "etcd, le serveur d’API, les contrôleurs et l’ordonnanceur sont les vrais, installés par kubeadm.",
    ),
    Fact(
        "Kubelet et conteneurs",
        True,
        "Le vrai kubelet pilote containerd : images, cgroups et espaces de noms de Linux sont réels.",
    ),
    Fact(
        "Nœud",
        False,
        "Le nœud est un conteneur de cette machine, dont il partage le noyau, le processeur et la mémoire.",
    ),
    Fact(
        "Réseau",
        True,
        "Le réseau des pods et kube-proxy sont réels, mais tout reste sur cette machine.",
    ),
    Fact(
        "NodePorts",
        False,
        f"Le cluster n’en donne que seize ({kind_config.NODE_PORTS[0]} à {kind_config.NODE_PORTS[-1]}, et non 30000 "
        "à 32767), tous reliés à des ports de 127.0.0.1.",
    ),
    Fact(
        "Autoscaler",
        False,
        "Ses délais sont raccourcis pour un cours : mesure toutes les 5 s (15 s par défaut), démarrage pris en compte "
        "après 10 s (5 min par défaut). "
        "Les `periodSeconds` d’un `behavior` ne le sont pas : de 1 à 20 pods, "
        "un HPA limité par `behavior` met ici plus de temps qu’un HPA sans (35 s contre 19 s), et moins au rythme "
        "ordinaire (61 s contre 76 s).",
    ),
    Fact(
        "Métriques",
        True,
        "metrics-server est le vrai, avec une mesure toutes les 10 s et sans vérifier le certificat du kubelet.",
    ),
    Fact(
        "Ingress",
        True,
        "kind n’a pas de contrôleur : le cours installe Traefik à la première demande, sur le port 80 du nœud.",
    ),
    Fact("Stockage", False, "Les volumes sont des dossiers du nœud : ils disparaissent avec lui."),
)
