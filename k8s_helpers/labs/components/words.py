"""What the lab `components` says in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import count, typeset
from ...measure.recording import Recording
from .summary import ClusterParts, NodeFacts

ROLES: Mapping[str, str] = {
    "kube-apiserver": "la seule porte : tout passe par elle",
    "etcd": "garde tous les objets",
    "kube-scheduler": "choisit un nœud pour chaque pod",
    "kube-controller-manager": "compare le désiré au réel, et corrige",
}
PLANE = "Plan de contrôle"
ADDONS = "Des pods comme les autres, dans kube-system"
AGENT_TOO = "Ce que l’agent du cours fait aussi"
AGENT_ROLES = (
    "rôle de kube-proxy\nmène l’adresse d’un Service à un pod",
    "rôle de CoreDNS\ndonne l’adresse d’un nom",
)
"""What pods of kube-system do elsewhere, and the embedded cluster's node by itself."""

CLOUD = "cloud-controller-manager"
NO_CLOUD = f"{CLOUD}\nabsent : pas de fournisseur ici"
ADDON_ROLES: Mapping[str, str] = {
    "kube-dns": "CoreDNS : donne l’adresse d’un nom",
    "kube-proxy": "mène l’adresse d’un Service à un pod",
    "metrics-server": "mesure processeur et mémoire",
}


def sign(up: bool | None) -> str:
    """Return a part's health as a sign."""
    return "✔" if up else "?" if up is None else "✘"


def node(facts: NodeFacts) -> str:
    """Return the title of a node's box."""
    return f"Nœud {facts.name}"


def by_agent(recording: Recording) -> bool:
    """Return whether the course's own agent stands for kubelet, kube-proxy and DNS."""
    return recording.provider == "embedded"


def kubelet(recording: Recording, facts: NodeFacts) -> str:
    """Return the box of who makes a node's pods live."""
    if by_agent(recording):
        return f"{sign(facts.ready)} agent du cours\nrôle du kubelet {facts.kubelet}"
    return f"{sign(facts.ready)} kubelet {facts.kubelet}\nfait vivre les pods du nœud"


def addon(name: str, up: bool) -> str:
    """Return the box of pods in kube-system."""
    role = ADDON_ROLES.get(name)
    return typeset(f"{sign(up)} {name}" + (f"\n{role}" if role else ""))


def runtime(facts: NodeFacts) -> str:
    """Return the box of what starts a node's containers."""
    return f"{facts.runtime}\ndémarre les conteneurs"


def verdict(recording: Recording) -> str:
    """Return what is down, or that all is well."""
    facts = ClusterParts.of(recording)
    head = f"{recording.where.capitalize()}, Kubernetes {recording.kubernetes_version}"
    parts = {**facts.plane, **facts.addons, **{node.name: node.ready for node in facts.nodes}}
    down = [name for name, up in parts.items() if up is False]
    if down:
        return typeset(f"{head} : {', '.join(down)} ne va pas bien")
    unknown = [name for name, up in parts.items() if up is None]
    if unknown:
        return typeset(f"{head} : rien d’anormal, {', '.join(unknown)} inconnu")
    return typeset(f"{head} : tout va bien ({count(facts.checks, 'contrôle')} de /readyz)")


def alternative(recording: Recording) -> str:
    """Return the drawing in sentences."""
    facts = ClusterParts.of(recording)
    plane = ", ".join(
        f"{name} ({ROLES[name]}) {'va bien' if up else 'inconnu' if up is None else 'arrêté'}"
        for name, up in facts.plane.items()
    )
    nodes = ", ".join(_node(recording, node) for node in facts.nodes)
    addons = ", ".join(facts.addons) or "aucun"
    agent = f" {AGENT_TOO} : {', '.join(AGENT_ROLES)}." if by_agent(recording) else ""
    return typeset(
        f"{verdict(recording)}. Plan de contrôle : {plane}. Nœuds : {nodes}. Pods de kube-system : {addons}.{agent}"
    ).replace("\n", ", ")


def _node(recording: Recording, node: NodeFacts) -> str:
    ready = "prêt" if node.ready else "pas prêt"
    who = "agent du cours dans le rôle du kubelet" if by_agent(recording) else "kubelet"
    return f"{node.name} {ready} ({who} {node.kubelet}, {node.runtime})"
