"""Recording → `summary.json` and story, whatever its experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._errors import RecordingError
from ..recording import Recording
from .added_node import added_node_json, added_node_story
from .attempts import attempts_json, attempts_story
from .autoscaling import autoscaling_json, autoscaling_story
from .balancing import balancing_json, balancing_story
from .broken_probes import broken_probes_json, broken_probes_story
from .canary import canary_json, canary_story
from .capacity import capacity_json, capacity_story
from .cohabitation import cohabitation_json, cohabitation_story
from .component_stop import component_stop_json, component_stop_story
from .components import components_json, components_story
from .configuration import configuration_json, configuration_story
from .journey import journey_json, journey_story
from .live_map import live_map_json, live_map_story
from .memory import memory_json, memory_story
from .probe_kinds import probe_kinds_json, probe_kinds_story
from .probes import probes_json, probes_story
from .relabel import relabel_json, relabel_story
from .resize import resize_json, resize_story
from .resources import (
    pending_json,
    pending_story,
    qos_json,
    qos_story,
    quota_json,
    quota_story,
)
from .rollback import rollback_json, rollback_story
from .self_healing import self_healing_json, self_healing_story
from .shared_pod import shared_pod_json, shared_pod_story
from .slow_update import slow_update_json, slow_update_story
from .statefulset import statefulset_json, statefulset_story
from .storage import storage_json, storage_story
from .story import Story
from .throttling import throttling_json, throttling_story
from .update import update_json, update_story
from .volumes import volumes_json, volumes_story

_MADE_OF_ATTEMPTS = (
    "discovery",
    "encryption_at_rest",
    "ingress",
    "namespaces",
    "network_policy",
    "pod_security",
    "secrets",
)

SUMMARIES: Mapping[str, Callable[[Recording], dict[str, Any]]] = {
    "probes": probes_json,
    "probe_kinds": probe_kinds_json,
    "slow_update": slow_update_json,
    "self_healing": self_healing_json,
    "component_stop": component_stop_json,
    "capacity": capacity_json,
    "relabel": relabel_json,
    "balancing": balancing_json,
    "broken_probes": broken_probes_json,
    "rollback": rollback_json,
    "memory": memory_json,
    "pending": pending_json,
    "qos": qos_json,
    "quota": quota_json,
    "resize": resize_json,
    "added_node": added_node_json,
    "throttling": throttling_json,
    "autoscaling": autoscaling_json,
    "cohabitation": cohabitation_json,
    "statefulset": statefulset_json,
    "volumes": volumes_json,
    "storage": storage_json,
    "journey": journey_json,
    "shared_pod": shared_pod_json,
    "components": components_json,
    "live_map": live_map_json,
    "canary": canary_json,
    "configuration": configuration_json,
    **dict.fromkeys(_MADE_OF_ATTEMPTS, attempts_json),
    "update": update_json,
}
"""By `Recording.experiment`: what its `summary.json` holds beside provider and version."""

STORIES: Mapping[str, Callable[[Recording], Story]] = {
    "probes": probes_story,
    "probe_kinds": probe_kinds_story,
    "slow_update": slow_update_story,
    "self_healing": self_healing_story,
    "component_stop": component_stop_story,
    "capacity": capacity_story,
    "relabel": relabel_story,
    "balancing": balancing_story,
    "broken_probes": broken_probes_story,
    "rollback": rollback_story,
    "memory": memory_story,
    "pending": pending_story,
    "qos": qos_story,
    "quota": quota_story,
    "resize": resize_story,
    "added_node": added_node_story,
    "throttling": throttling_story,
    "autoscaling": autoscaling_story,
    "cohabitation": cohabitation_story,
    "statefulset": statefulset_story,
    "volumes": volumes_story,
    "storage": storage_story,
    "journey": journey_story,
    "shared_pod": shared_pod_story,
    "components": components_story,
    "live_map": live_map_story,
    "canary": canary_story,
    "configuration": configuration_story,
    **dict.fromkeys(_MADE_OF_ATTEMPTS, attempts_story),
    "update": update_story,
}
"""By `Recording.experiment`: what it must tell wherever it is measured."""

_SLOWER_STARTS = (
    "démarrer un conteneur prend une à deux secondes sur kind (sandbox, cgroups, runc), quelques dizaines de "
    "millisecondes sur le cluster embarqué"
)

_OVERSLEPT_WAITS = (
    "après une mort, le kubelet ne se réveille pas à la fin exacte de l’attente mais jusqu’à moitié plus tard, au "
    "hasard, sur les deux clusters : d’une mesure à l’autre, les attentes diffèrent"
)

_SLOWER_METRICS = "metrics-server mesure toutes les 10 s, l’agent du cluster embarqué quand l’autoscaler le demande"
_LEASE = (
    "sur kind, le kubelet doit relancer un conteneur, et kube-controller-manager attendre que le bail (Lease) de son "
    "prédécesseur expire, quinze secondes ; le cluster embarqué relance un processus et se passe d’élection"
)

_SLOWER_ENDS = (
    "une fois le délai de grâce écoulé, kind met une à deux secondes de plus à tuer et à ranger les conteneurs ; le "
    "cluster embarqué, quelques dizaines de millisecondes"
)

_SLOWER_REPLACEMENTS = (
    "ranger l’ancien conteneur puis démarrer le nouveau prend deux à trois secondes de plus sur kind (sandbox, "
    "cgroups, runc) que sur le cluster embarqué"
)

EXPLAINED: Mapping[tuple[str, str], str] = {
    **{
        ("statefulset", f"{way} : remplacement"): _SLOWER_REPLACEMENTS
        for way in ("ordered", "parallel", "deployment")
    },
    ("statefulset", "parallel : tous prêts"): _SLOWER_STARTS,
    ("statefulset", "deployment : tous prêts"): _SLOWER_STARTS,
    **{
        ("memory", f"{variant} : attente de {delay_s} s"): _OVERSLEPT_WAITS
        for variant in ("default-heap", "large-heap")
        for delay_s in (0, 10, 20, 40)
    },
    ("memory", "default-heap : durée de vie"): _SLOWER_STARTS,
    ("autoscaling", "step : premier ajout"): _SLOWER_METRICS,
    ("autoscaling", "step : retour au minimum"): _SLOWER_METRICS,
    ("cohabitation", "A : passage à 3 pods"): _SLOWER_STARTS,
    ("cohabitation", "B : passage à 3 pods"): _SLOWER_STARTS,
    ("component_stop", "scheduler : rattrapage"): _LEASE,
    ("component_stop", "controller-manager : rattrapage"): _LEASE,
    ("journey", "du apply à Ready"): _SLOWER_STARTS,
    ("relabel", "remplaçant prêt"): _SLOWER_STARTS,
    ("rollback", "no-probe : retour"): _SLOWER_STARTS,
    ("self_healing", "container : retour à l’état désiré"): _SLOWER_STARTS,
    ("self_healing", "pod : retour à l’état désiré"): _SLOWER_STARTS,
    ("self_healing", "replicas : retour à l’état désiré"): _SLOWER_STARTS,
    ("self_healing", "image : retour à l’état désiré"): _SLOWER_STARTS,
    ("shared_pod", "démarrage"): _SLOWER_STARTS,
    ("throttling", "500m : médiane"): (
        "60 ms de calcul à un demi-processeur tiennent en 60 à 110 ms, selon l’instant de la tranche de 100 ms où la "
        "requête tombe"
    ),
    ("shared_pod", "disparition"): _SLOWER_ENDS,
    ("configuration", "configmap : fichier monté : délai"): (
        "le kubelet ne relit un pod que toutes les 60 à 90 s, et le changement arrive n’importe quand entre deux ; le "
        "nœud du cluster embarqué suit le ConfigMap par un watch et l’écrit aussitôt"
    ),
    ("update", "rolling-naive : durée"): _SLOWER_STARTS,
    ("update", "rolling-naive : interruption"): _SLOWER_STARTS,
    ("update", "recreate : durée"): _SLOWER_STARTS,
    ("update", "recreate : interruption"): _SLOWER_STARTS,
    ("update", "blue-green : durée"): _SLOWER_STARTS,
}
"""Durations that differ between kind and the embedded cluster for a known reason, by experiment and name: a French
sentence for `docs/fidelite.md`."""


def summary_json(recording: Recording) -> dict[str, Any]:
    """Return what `k8s-lab measure` and `k8s-lab replay` write as `summary.json`.

    Raises
    ------
    RecordingError
        An experiment that this version of the course does not know.
    """
    if recording.experiment not in SUMMARIES:
        raise RecordingError(
            "Résumer l’enregistrement",
            f"c’est une expérience « {recording.experiment} », inconnue de cette version du cours",
            f"Cette version connaît : {', '.join(sorted(SUMMARIES))}.",
        )
    head = {"provider": recording.provider, "kubernetes_version": recording.kubernetes_version}
    return {**head, **SUMMARIES[recording.experiment](recording)}
