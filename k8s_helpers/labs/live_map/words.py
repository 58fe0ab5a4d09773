"""What the lab `live_map` says in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import count, typeset
from ...measure.recording import Recording
from .summary import MappedPod, MappedService, NamespaceMap, RequestWay, Route, ways

COLUMNS = ("Ingress : une règle par chemin", "Services : un sélecteur", "Pods : des étiquettes")


def route(rule: Route) -> str:
    """Return a rule's box."""
    return f"{rule.host}{rule.path}\n({rule.ingress})"


def service(facts: MappedService) -> str:
    """Return a Service's box: whom it chooses, and how many it has."""
    behind = count(len(facts.pods), "pod prêt", "pods prêts") if facts.pods else "personne derrière"
    return typeset(f"{facts.name} : {_labels(facts.selector)}\n{facts.type}, {behind}")


def pod(facts: MappedPod) -> str:
    """Return a pod's box."""
    return f"{facts.name}\n{_labels(facts.labels)}"


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "–"


def verdict(recording: Recording) -> str:
    """Return which requests get nowhere."""
    head = f"Espace de noms {NamespaceMap.of(recording).namespace}"
    known = ways(recording)
    lost = [way.request for way in known if not way.pods]
    if lost:
        return typeset(f"{head} : {', '.join(lost)} ne mène à personne")
    end = "chaque règle mène à un pod prêt" if known else "aucune règle d’Ingress"
    return typeset(f"{head} : {end}")


def alternative(recording: Recording) -> str:
    """Return the map in sentences."""
    sentences = " ; ".join(map(_way, ways(recording)))
    return typeset(f"{verdict(recording)}. {sentences or 'Aucune règle d’Ingress'}.")


def _way(way: RequestWay) -> str:
    end = f"donc à {', '.join(way.pods)}" if way.pods else "qui n’a aucun pod prêt"
    return f"{way.request} va au Service {way.service or 'inconnu'}, {end}"
