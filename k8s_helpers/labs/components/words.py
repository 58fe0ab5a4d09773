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
_NO_ADDONS = {
    "embedded": "Aucun pod dans kube-system : ni CoreDNS ni kube-proxy ici,\n"
    "c’est le même programme que le kubelet qui tient leur rôle."
}


def sign(up: bool | None) -> str:
    """Return a part's health as a sign."""
    return "✔" if up else "?" if up is None else "✘"


def node(facts: NodeFacts) -> str:
    """Return the title of a node's box."""
    return f"Nœud {facts.name}"


def kubelet(facts: NodeFacts) -> str:
    """Return the box of a node's kubelet."""
    return f"{sign(facts.ready)} kubelet {facts.kubelet}\nfait vivre les pods du nœud"


def runtime(facts: NodeFacts) -> str:
    """Return the box of what starts a node's containers."""
    return f"{facts.runtime}\ndémarre les conteneurs"


def no_addons(recording: Recording) -> str:
    """Return what it means that kube-system has no pods."""
    return typeset(_NO_ADDONS.get(recording.provider, "Aucun pod dans kube-system."))


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
    nodes = ", ".join(map(_node, facts.nodes))
    addons = ", ".join(facts.addons) or "aucun"
    return typeset(
        f"{verdict(recording)}. Plan de contrôle : {plane}. Nœuds : {nodes}. Pods de kube-system : {addons}."
    )


def _node(node: NodeFacts) -> str:
    ready = "prêt" if node.ready else "pas prêt"
    return f"{node.name} {ready} (kubelet {node.kubelet}, {node.runtime})"
