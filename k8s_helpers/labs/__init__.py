"""The labs of the course, one folder each: what is measured, foreseen, summed up, told and drawn.

`LABS` is the one registry. To add a lab: add its folder (see `docs/architecture.md`) and its name here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._errors import LabError, RecordingError

if TYPE_CHECKING:
    from ..draw.figure import DescribedFigure
    from ..draw.table import Table
    from ..measure.recording import Recording
    from .lab import Lab

LABS: tuple[str, ...] = (
    "update",
    "slow_update",
    "rollback",
    "canary",
    "self_healing",
    "resilience",
    "component_stop",
    "components",
    "journey",
    "live_map",
    "shared_pod",
    "relabel",
    "discovery",
    "ingress",
    "balancing",
    "namespaces",
    "network_policy",
    "pod_security",
    "scraping",
    "tracing",
    "configuration",
    "secrets",
    "encryption_at_rest",
    "pending",
    "qos",
    "quota",
    "throttling",
    "memory",
    "capacity",
    "resize",
    "probes",
    "probe_kinds",
    "broken_probes",
    "statefulset",
    "cohabitation",
    "wordpress",
    "autoscaling",
    "added_node",
    "volumes",
    "storage",
)
"""Names, in the order of the course."""


def get(name: str) -> Lab:
    """Return a lab by its name.

    Raises
    ------
    LabError
        No lab is called that, or its folder lacks its module `lab`.
    """
    tried = f"Ouvrir l’expérience « {name} »"
    if name not in LABS:
        raise LabError(
            tried, "elle n’existe pas dans cette version du cours", f"Il y a : {', '.join(LABS)}."
        )
    full = f"{__name__}.{name}.lab"
    try:
        lab: Lab = import_module(full).LAB
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and not full.startswith(error.name or "?"):
            raise
        raise LabError(
            tried,
            f"le dossier labs/{name} n’a pas de module « lab.py » qui définisse LAB",
            "Écrivez-le : docs/architecture.md dit ce que contient le dossier d’une expérience.",
        ) from None
    return lab


def of(recording: Recording) -> Lab:
    """Return the lab that made a recording; raises `RecordingError` where this version of the course has none."""
    if recording.experiment not in LABS:
        raise RecordingError(
            "Lire un enregistrement",
            f"il vient de l’expérience « {recording.experiment} », qui n’existe pas dans cette version du cours",
            "Mettez le cours à jour (git pull, make env), ou vérifiez le fichier.",
        )
    return get(recording.experiment)


def draw(recording: Recording, **options: Any) -> DescribedFigure:
    """Return the figure of any recording of the course, as its lab draws it."""
    return of(recording).draw(recording, **options)


def tabulate(recording: Recording) -> Table | None:
    """Return the table of any recording of the course; None where its lab has none."""
    return of(recording).tabulate(recording)


def summarize(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` holds of any recording of the course."""
    return of(recording).to_json(recording)


def kept(name: str, provider: str) -> Recording:
    """Return the measure of a lab that the course keeps.

    Parameters
    ----------
    name : str
        The lab's.
    provider : str
        "kind" or "embedded".

    Raises
    ------
    LabError
        No lab of that name, or no kept measure on this provider.
    """
    return get(name).kept(provider)


def __getattr__(name: str) -> Any:
    """Import a lab's folder at its first use: `labs.update`."""
    if name in LABS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return what completion offers: every lab, and what is done with any of them."""
    return sorted({*LABS, "LABS", "draw", "get", "kept", "of", "summarize", "tabulate"})
