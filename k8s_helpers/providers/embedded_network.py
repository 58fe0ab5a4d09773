"""What the embedded cluster's network does as a real one, and what it does not; a NodePort that is elsewhere."""

from __future__ import annotations

import warnings

from ..embedded import node_ports
from .base import Fact

FACTS = (
    Fact(
        "Réseau",
        False,
        "Pods et Services ont des adresses de la boucle locale de cette machine : aucune NetworkPolicy n’y est "
        "appliquée, et rien n’est joignable depuis une autre machine.",
    ),
    Fact(
        "Adresses des pods",
        False,
        "L’API montre 10.244.a.b (ou 10.243, 10.242…, selon le cluster) ; le pod lui-même écoute, et se voit dans "
        "status.podIP, à 127.244.a.b, la seule des deux qui mène quelque part sur cette machine. Le proxy HTTP et le "
        "serveur d’API comprennent les deux ; un pod hostNetwork est à 127.0.0.1, que le serveur d’API refuse de "
        "relayer.",
    ),
    Fact(
        "Ports des pods",
        False,
        "Les pods n’ont pas de réseau à eux : un programme doit écouter à l’adresse de son pod, que donne la variable "
        "BIND_ADDR. Celui qui écoute partout (0.0.0.0) prend le port à toute la machine, et le second trouve « Address "
        "already in use » ; un port inférieur à 1024 est refusé à qui n’est pas root.",
    ),
    Fact(
        "localhost d’un pod",
        False,
        "C’est celui de toute la machine : les conteneurs d’un pod se parlent par BIND_ADDR. Un programme qui n’écoute "
        "que sur 127.0.0.1 n’est pas joignable par « kubectl port-forward », qui mène à l’adresse du pod.",
    ),
    Fact(
        "NodePorts et hostPorts",
        False,
        "De 30000 à 32767, comme en production, mais tous les clusters de cette machine se partagent 127.0.0.1 : un "
        "port déjà pris est dit par un événement (PortUnavailable), et le Service répond alors à l’adresse propre du "
        "nœud, 127.244.255.1 par exemple ; service_url() donne toujours la bonne.",
    ),
    Fact(
        "Services, HTTP",
        False,
        "Un port inférieur à 1024 (http://vitrine/) ne peut pas être ouvert par qui n’est pas root : les conteneurs y "
        "vont par un proxy HTTP, que donne http_proxy. Un programme qui ignore cette variable (une connexion TCP "
        "brute, le HttpClient de Java) y est refusé ; un port à partir de 1024 lui répond.",
    ),
    Fact(
        "Service sans personne derrière",
        False,
        "Un vrai cluster refuse la connexion (« connection refused »), et ne connaît pas un nom inconnu. Ici, c’est "
        "aussi un refus en TCP ; en HTTP, où le proxy a déjà pris la connexion, il la coupe (« connection reset by "
        "peer »), de même que devant un targetPort où personne n’écoute. Un port que le Service n’a pas est refusé "
        "aussitôt ; sur un vrai cluster, on l’attend souvent en vain.",
    ),
    Fact(
        "Adresse du client, affinité",
        False,
        "Un serveur voit l’adresse du pod qui l’appelle, et sessionAffinity: ClientIP distingue les pods, si l’appel "
        "passe par le proxy HTTP. Une connexion TCP brute vient de 127.0.0.1 : tous les pods n’y sont qu’un client.",
    ),
    Fact(
        "DNS",
        False,
        "Les noms des Services et des pods sont dans /etc/hosts, tenu à jour ; il n’y a pas de serveur DNS : "
        "resolv.conf est celui de cette machine, dnsPolicy et dnsConfig sont sans effet, nslookup ne trouve rien.",
    ),
    Fact(
        "UDP et SCTP",
        False,
        "Un Service UDP répond à partir du port 1024 ; SCTP n’est servi par personne. Un événement (PortUnavailable) "
        "le dit.",
    ),
    Fact(
        "Ingress",
        False,
        "Les règles qui se recouvrent se départagent comme la spécification le dit : le nom exact, puis le chemin le "
        "plus long, Exact avant Prefix, le plus ancien des Ingress. Traefik, sur kind, donne la priorité au texte de "
        "règle le plus long : Prefix /boutique y passe avant Exact /boutique.",
    ),
    Fact(
        "kubectl get componentstatuses",
        False,
        "L’ordonnanceur et les contrôleurs y sont Unhealthy alors qu’ils tournent : le serveur d’API les cherche aux "
        "ports 10257 et 10259 de 127.0.0.1, qu’un seul cluster par machine pourrait prendre. Cette commande est "
        "dépréciée depuis Kubernetes 1.19 ; « k8s-lab status » dit la vérité.",
    ),
)


class NodePortTakenWarning(UserWarning):
    """A NodePort answers elsewhere than on 127.0.0.1."""


def warn_taken(cluster: str, node_port: int, address: str) -> None:
    """Say that a NodePort of a cluster answers at another address than 127.0.0.1."""
    shared = node_ports.SHARED_ADDRESS
    warnings.warn(
        f"Le port {node_port} de {shared} est déjà pris sur cette machine, peut-être par un autre cluster : le "
        f"NodePort {node_port} du cluster « {cluster} » répond à l’adresse propre de son nœud, {address}. Pour l’avoir "
        f"aussi sur {shared}, libérez ce port (« ss -ltnp » dit qui l’occupe) ou choisissez-en un autre.",
        NodePortTakenWarning,
        stacklevel=3,
    )
