"""What a kind cluster does as production does, and what it does not."""

from __future__ import annotations

from ..._autoscaler import KIND_METRICS_PERIOD_S
from ..base import SHORTENED, FidelityFact
from . import config as kind_config

FACTS = (
    FidelityFact(
        "Plan de contrôle",
        "etcd, le serveur d’API, les contrôleurs et l’ordonnanceur sont les vrais, installés par kubeadm.",
        real=True,
    ),
    FidelityFact(
        "Kubelet et conteneurs",
        "Le vrai kubelet pilote containerd : images, cgroups et espaces de noms de Linux sont réels.",
        real=True,
    ),
    FidelityFact(
        "Nœud",
        "Le nœud est un conteneur de cette machine, dont il partage le noyau, le processeur et la mémoire.",
    ),
    FidelityFact(
        "Réseau",
        "Le réseau des pods et kube-proxy sont réels, mais tout reste sur cette machine.",
        real=True,
    ),
    FidelityFact(
        "NodePorts",
        f"Le cluster n’en donne que seize ({kind_config.NODE_PORTS[0]} à {kind_config.NODE_PORTS[-1]}, et non 30000 "
        "à 32767), tous reliés à des ports de 127.0.0.1.",
    ),
    FidelityFact(
        "Autoscaler",
        f"Ses délais {SHORTENED}",
    ),
    FidelityFact(
        "Métriques",
        f"metrics-server est le vrai, avec une mesure toutes les {KIND_METRICS_PERIOD_S:g} s et sans vérifier le "
        "certificat du kubelet.",
        real=True,
    ),
    FidelityFact(
        "Ingress",
        "kind n’a pas de contrôleur : le cours installe Traefik à la première demande, aux ports 80 et 443 du nœud.",
        real=True,
    ),
    FidelityFact(
        "Gateway API",
        "Le cours ajoute ses définitions (version 1.6.1, écourtées) en même temps que Traefik, qui la sert : "
        "GatewayClass, Gateway, HTTPRoute, ReferenceGrant, GRPCRoute, TLSRoute.",
        real=True,
    ),
    FidelityFact("Stockage", "Les volumes sont des dossiers du nœud : ils disparaissent avec lui."),
)
