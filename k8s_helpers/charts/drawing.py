"""Which figure and which table belong to a recording: for `k8s-lab measure`, `k8s-lab replay` and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .._errors import RecordingError
from ..recording import Recording
from . import wordings
from .added_node import added_node
from .autoscaling import autoscaling
from .balancing import balancing, balancing_table
from .broken_probes import broken_probes
from .canary import canary
from .capacity import capacity
from .cohabitation import cohabitation
from .component_stop import component_stop
from .components import components
from .configuration import configuration
from .figure import DescribedFigure
from .journey import journey
from .live_map import live_map
from .memory import memory
from .probe_kinds import probe_kinds
from .probes import probes
from .probes_table import probes_table
from .relabel import relabel
from .resize import resize
from .resources import pending, pending_table, qos, qos_table, quota, quota_table
from .rollback import rollback, rollback_table
from .self_healing import self_healing
from .shared_pod import shared_pod
from .slow_update import slow_update
from .statefulset import statefulset
from .storage import storage
from .table import Table, update_table
from .throttling import throttling
from .update import update
from .volumes import volumes

FIGURES: Mapping[str, Callable[[Recording], DescribedFigure]] = {
    "probes": probes,
    "probe_kinds": probe_kinds,
    "slow_update": slow_update,
    "self_healing": self_healing,
    "component_stop": component_stop,
    "capacity": capacity,
    "relabel": relabel,
    "balancing": balancing,
    "broken_probes": broken_probes,
    "rollback": rollback,
    "memory": memory,
    "pending": pending,
    "qos": qos,
    "quota": quota,
    "resize": resize,
    "added_node": added_node,
    "throttling": throttling,
    "autoscaling": autoscaling,
    "journey": journey,
    "shared_pod": shared_pod,
    "components": components,
    "live_map": live_map,
    "canary": canary,
    "configuration": configuration,
    **wordings.FIGURES,
    "cohabitation": cohabitation,
    "statefulset": statefulset,
    "storage": storage,
    "volumes": volumes,
    "update": update,
}
"""By `Recording.experiment`."""

TABLES: Mapping[str, Callable[[Recording], Table]] = {
    "balancing": balancing_table,
    "probes": probes_table,
    "rollback": rollback_table,
    "pending": pending_table,
    "qos": qos_table,
    "quota": quota_table,
    "update": update_table,
}
"""Of the experiments whose numbers read better in rows."""


def draw(recording: Recording) -> DescribedFigure:
    """Draw the figure of any recording of the course.

    Raises
    ------
    RecordingError
        An experiment that this version of the course does not know.
    """
    if recording.experiment not in FIGURES:
        raise RecordingError(
            "Dessiner l’enregistrement",
            f"c’est une expérience « {recording.experiment} », inconnue de cette version du cours",
            f"Cette version connaît : {', '.join(sorted(FIGURES))}.",
        )
    return FIGURES[recording.experiment](recording)


def tabulate(recording: Recording) -> Table | None:
    """Return the table of a recording; None where its experiment has none."""
    make = TABLES.get(recording.experiment)
    return None if make is None else make(recording)
