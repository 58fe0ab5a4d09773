"""The same slow program with different probes: manifests, fitted to a delay, and what they let foresee."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import charts, images, manifests
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.table import Table
from ..cluster import Cluster, current_cluster
from ..forecasts.probe_spec import KINDS, Answers, Probe, ProbeKind, container_of, probes_of
from ..forecasts.probes import Forecast, forecast
from ..forecasts.span import Span
from ..images import SpringImage
from .play import MANIFESTS

FOLDER = MANIFESTS / "10_sondes"
FILES: Mapping[str, str] = {
    "no-probe": "sans-sonde.yaml",
    "readiness": "readiness.yaml",
    "slide": "diapositive.yaml",
    "impatient": "impatiente.yaml",
    "startup": "startup.yaml",
}
"""By name, in the order in which the course shows them."""

DELAY_S = 60.0
"""What the manifests are written for: with another delay their seconds shrink or grow with it."""
LATE_S = 15.0
"""How long after all that was foreseen the measure ends, come what may."""
LIVENESS, READINESS = "/actuator/health/liveness", "/actuator/health/readiness"

STARTS = {True: Span(1.0, 25.0), False: Span(0.0, 4.0)}
"""What a start takes beside the delay, on a machine that may be busy: Spring Boot's, and its stand-in's."""


@dataclass(frozen=True)
class Variant:
    """One variant, ready to be applied.

    Attributes
    ----------
    name : str
        Its run's.
    deployment, service : dict
        What is applied.
    probes : mapping
        What its container is asked.
    forecast : Forecast
        What must happen.
    """

    name: str
    deployment: dict[str, Any]
    service: dict[str, Any]
    probes: Mapping[ProbeKind, Probe]
    forecast: Forecast

    @property
    def app(self) -> str:
        """Name of its Deployment."""
        name: str = self.deployment["metadata"]["name"]
        return name

    @property
    def service_name(self) -> str:
        """Name of its Service."""
        name: str = self.service["metadata"]["name"]
        return name

    @property
    def comes(self) -> bool:
        """Whether something is to come: Ready, or a kill; otherwise it waits for nothing."""
        return self.forecast.certain or self.forecast.ready is not None

    def parameters(self) -> dict[str, Any]:
        """Return what its run keeps of it."""
        found = self.forecast
        return {
            "variant": self.name,
            "probes": {
                kind: {
                    "initial_delay_s": probe.initial_delay_s,
                    "period_s": probe.period_s,
                    "failures": probe.failures,
                }
                for kind, probe in self.probes.items()
            },
            "predicted_ready_s": found.ready.to_plain() if found.ready else None,
            "predicted_kill_s": found.kill.to_plain() if found.kill and found.certain else None,
            "forecast": list(found.rows),
        }


@stoppable
def probes_forecast(
    variants: Sequence[str] | Mapping[str, manifests.Source] = tuple(FILES),
    *,
    delay_s: float = 60.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Table:
    """Return what `probes` must show, from the manifests alone: when each variant gets Ready, when it is killed.

    Nothing is started. The cluster only says whether the program is the real one or its stand-in, which starts sooner.

    Parameters
    ----------
    variants, delay_s
        As `probes` takes them.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told where the program must be built first.

    Raises
    ------
    UsageError
        An unknown variant, a manifest that is not one, or a number out of its bounds.
    """
    check(variants, delay_s)
    image = images.spring(cluster or current_cluster(), "v1", progress)
    made = chosen(variants, delay_s, image)
    return charts.probes_forecast({one.name: one.forecast for one in made})


def check(
    variants: Sequence[str] | Mapping[str, manifests.Source],
    delay_s: float,
    rate_per_s: float = 1.0,
) -> None:
    """Raise a `UsageError` for an unknown variant, or for a number out of its bounds."""
    names = list(variants) if not isinstance(variants, str) else []
    unknown = [] if isinstance(variants, Mapping) else [one for one in names if one not in FILES]
    if not names or unknown or len(set(names)) < len(names):
        raise UsageError(
            "Comparer des sondes",
            f"les variantes demandées sont {variants!r}",
            f"Donnez une liste de variantes différentes, parmi : {', '.join(FILES)} ; ou vos propres manifestes, "
            "par leur nom.",
        )
    if not (2 <= delay_s <= 300 and 1 <= rate_per_s <= 50):
        raise UsageError(
            "Comparer des sondes",
            f"{delay_s} s de démarrage, {rate_per_s} requêtes par seconde",
            "Donnez 2 à 300 s de démarrage et 1 à 50 requêtes par seconde.",
        )


def chosen(
    variants: Sequence[str] | Mapping[str, manifests.Source], delay_s: float, image: SpringImage
) -> list[Variant]:
    """Return the variants that an experiment was asked for, ready to be applied."""
    sources = dict(variants) if isinstance(variants, Mapping) else dict.fromkeys(variants)
    return [
        variant(name, source, delay_s, image, delay_s + LATE_S) for name, source in sources.items()
    ]


def variant(
    name: str, source: manifests.Source | None, delay_s: float, image: SpringImage, horizon_s: float
) -> Variant:
    """Return a variant of the course, or the student's own.

    Parameters
    ----------
    name : str
        One of `FILES` where there is no source.
    source : str, Path, mapping or sequence, optional
        Manifest of a Deployment and its Service; what it says is not changed, except for the image and the delay.
    delay_s : float
        What the program's start takes.
    image : SpringImage
        The program.
    horizon_s : float
        How far kills are foreseen.

    Raises
    ------
    UsageError
        Not one Deployment and one Service.
    """
    found = [one.object for one in manifests.read(source or FOLDER / FILES[name])]
    by_kind = {one.get("kind"): copy.deepcopy(dict(one)) for one in found}
    if sorted(map(str, by_kind)) != ["Deployment", "Service"] or len(found) != 2:
        raise UsageError(
            f"Préparer la variante « {name} »",
            f"le manifeste contient : {', '.join(str(one.get('kind')) for one in found) or 'rien'}",
            "Donnez un Deployment et son Service, et rien d’autre.",
        )
    deployment = by_kind["Deployment"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = image.ref
    set_env(container, "DELAY_SECONDS", f"{delay_s:g}")
    if source is None:
        _scale(container, delay_s / DELAY_S)
    program = answers(container, delay_s, STARTS[image.real])
    return Variant(
        name,
        deployment,
        by_kind["Service"],
        probes_of(container_of(deployment)),
        forecast(deployment, program, horizon_s),
    )


def answers(container: Mapping[str, Any], delay_s: float, starts: Span) -> Answers:
    """Return what is known of the program: it listens before its delay, or after it where `LISTEN` is "late"."""
    late = any(
        one.get("name") == "LISTEN" and one.get("value") == "late"
        for one in container.get("env") or ()
    )
    over = Span(starts.lo_s + delay_s, starts.hi_s + delay_s)
    listens = over if late else starts
    return Answers(listens, {LIVENESS: listens, READINESS: over, "/": over})


def set_env(container: dict[str, Any], name: str, value: str) -> None:
    """Give a container's variable that value, in place."""
    others = [one for one in container.get("env") or () if one.get("name") != name]
    container["env"] = [*others, {"name": name, "value": value}]


def _scale(container: dict[str, Any], factor: float) -> None:
    """Let the seconds of the probes shrink or grow: whole ones, as Kubernetes wants them."""
    for kind in KINDS:
        probe = container.get(f"{kind}Probe", {})
        for name, least in (("initialDelaySeconds", 0), ("periodSeconds", 1)):
            if name in probe:
                probe[name] = max(least, round(probe[name] * factor))
