"""The same slow program with different probes: manifests, fitted to a delay, and what they let foresee."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ... import _checks
from ..._errors import UsageError
from ...builds.images import SpringImage
from ...forecasts.probe_spec import KINDS, Probe, ProbeKind, container_of, probes_of
from ...forecasts.probes import Forecast, forecast
from ...kube import manifests
from ...measure import slow_program
from ..lab import MANIFESTS
from .lab import LAB

FILES: Mapping[str, str] = {
    "no-probe": "sans-sonde.yaml",
    "refusing": "sans-sonde-503.yaml",
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
_TRIED = "Comparer des sondes"


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
        ready, kill = self.forecast.ready, self.forecast.kill
        return {
            "variant": self.name,
            "probes": list(self.probes),
            "predicted_ready_s": ready.to_plain() if ready else None,
            "predicted_kill_s": kill.to_plain() if kill and self.forecast.certain else None,
        }


def check(
    variants: Sequence[str] | Mapping[str, manifests.Source],
    delay_s: float,
    rate_per_s: float = 1.0,
) -> None:
    """Raise a `UsageError` for an unknown variant, or for a number out of its bounds."""
    own = isinstance(variants, Mapping) and variants
    _checks.names(
        _TRIED,
        "variantes",
        variants if isinstance(variants, str) else list(variants),
        list(variants) if own else FILES,
        besides=" ; ou vos propres manifestes, par leur nom",
    )
    _checks.bounds(
        _TRIED,
        (delay_s, 2, 300, "s de démarrage"),
        (rate_per_s, 1, 50, "requêtes par seconde"),
    )


def chosen(
    variants: Sequence[str] | Mapping[str, manifests.Source], delay_s: float, image: SpringImage
) -> list[Variant]:
    """Return the variants that an experiment was asked for, ready to be applied."""
    sources = dict(variants) if isinstance(variants, Mapping) else dict.fromkeys(variants)
    return [_variant(name, source, delay_s, image) for name, source in sources.items()]


def _variant(
    name: str, source: manifests.Source | None, delay_s: float, image: SpringImage
) -> Variant:
    """Return a variant of the course, or the student's own where there is a source.

    What that one says is not changed, except for the image and the delay.

    Raises
    ------
    UsageError
        Not one Deployment and one Service.
    """
    documents = manifests.read(source or MANIFESTS / LAB.folder / FILES[name])
    kinds = [str(document.object.get("kind")) for document in documents]
    if sorted(kinds) != ["Deployment", "Service"]:
        raise UsageError(
            f"Préparer la variante « {name} »",
            f"le manifeste contient : {', '.join(kinds) or 'rien'}",
            "Donnez un Deployment et son Service, et rien d’autre.",
        )
    by_kind = {
        kind: copy.deepcopy(dict(document.object))
        for kind, document in zip(kinds, documents, strict=True)
    }
    deployment = by_kind["Deployment"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    slow_program.fit(container, image.ref, delay_s)
    if source is None:
        _scale(container, delay_s / DELAY_S)
    program = slow_program.answers(container, delay_s, slow_program.STARTS[image.real])
    return Variant(
        name,
        deployment,
        by_kind["Service"],
        probes_of(container_of(deployment)),
        forecast(deployment, program, delay_s + LATE_S),
    )


def _scale(container: dict[str, Any], factor: float) -> None:
    """Let the seconds of the probes shrink or grow: whole ones, as Kubernetes wants them."""
    for kind in KINDS:
        probe = container.get(f"{kind}Probe", {})
        for name, least in (("initialDelaySeconds", 0), ("periodSeconds", 1)):
            if name in probe:
                probe[name] = max(least, round(probe[name] * factor))
