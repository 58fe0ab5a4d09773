"""What the embedded cluster does and does not do as a production cluster would."""

from __future__ import annotations

from . import embedded_network
from .base import Fact
from .kubelet_facts import NODE_FACTS

FACTS = (
    Fact(
        "Plan de contrôle",
        True,
        "etcd, kube-apiserver, kube-controller-manager et kube-scheduler sont les vrais programmes de Kubernetes ; "
        "ordonnancement, autoscaling, RBAC et admission sont donc ceux de la production. Quatre contrôleurs, qui "
        "n’auraient rien à faire ici (volumes réseau, appareils du nœud, types des politiques), n’y tournent pas.",
    ),
    Fact(
        "API et kubectl",
        True,
        "L’API est complète : kubectl, Helm ou tout autre client y fonctionnent sans adaptation.",
    ),
    Fact(
        "Kubelet",
        False,
        "Le kubelet est remplacé par un agent du cours, qui en suit les règles (sondes, redémarrages, volumes, "
        "arrêt progressif) et publie les mêmes événements.",
    ),
    Fact(
        "ConfigMaps et Secrets montés",
        False,
        "L’agent en suit les changements par un watch et les écrit aussitôt ; un kubelet les relit après 60 à 90 s.",
    ),
    Fact(
        "Délais du nœud",
        False,
        "L’agent voit aussitôt qu’un conteneur a démarré ou fini, ou qu’un ConfigMap qui manquait est là ; un kubelet "
        "met une seconde pour un conteneur, et jusqu’à 35 s pour un ConfigMap.",
    ),
    Fact(
        "Journaux d’une vie passée",
        False,
        "`kubectl logs --previous` reste lisible pendant l’attente qui suit une mort ; un kubelet, qui n’a plus ce "
        "conteneur, répond alors `unable to retrieve container logs`.",
    ),
    Fact(
        "Conteneurs",
        False,
        "Un conteneur est un groupe de processus de cette machine, avec ses propres fichiers là où Linux le permet ; "
        "il voit le noyau et le réseau de l’hôte.",
    ),
    *NODE_FACTS,
    Fact(
        "Limites de mémoire et de processeur",
        False,
        "Elles sont tenues par l’agent, qui mesure et intervient, et non par les cgroups du noyau : le dépassement est "
        "constaté quelques dizaines de millisecondes plus tard.",
    ),
    Fact(
        "Autoscaler",
        False,
        "C’est le vrai, mais ses délais sont raccourcis pour un cours : mesure toutes les 5 s (15 s par défaut), "
        "démarrage pris en compte après 10 s (5 min par défaut). "
        "Les `periodSeconds` d’un `behavior` ne le sont pas : de 1 à 20 pods, "
        "un HPA limité par `behavior` met ici plus de temps qu’un HPA sans (35 s contre 19 s), et moins au rythme "
        "ordinaire (61 s contre 76 s).",
    ),
    Fact(
        "Métriques",
        False,
        "L’agent les calcule au moment où on les demande, sur les deux dernières secondes au moins : elles ont moins "
        "de retard que celles de metrics-server.",
    ),
    *embedded_network.FACTS,
    Fact(
        "Images",
        False,
        "Seules les images construites par le cours (Containerfile) peuvent tourner ; aucune n’est téléchargée d’un "
        "registre.",
    ),
    Fact(
        "Nœuds",
        False,
        "Tous les nœuds sont simulés sur cette machine et s’en partagent le processeur et la mémoire.",
    ),
)
