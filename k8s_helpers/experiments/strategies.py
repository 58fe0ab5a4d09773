"""What each strategy of update does, step by step: the manifests it applies and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..forecasts.rollout import band

if TYPE_CHECKING:
    from .scene import Scene

SWITCHED_S = 3.0
"""How long blue-green stays on green before the way back is measured."""


@dataclass(frozen=True)
class Setting:
    """What all strategies are measured with.

    Attributes
    ----------
    images : mapping of str to str
        Image reference by version.
    """

    images: Mapping[str, str]
    replicas: int
    rate_per_s: float
    startup_s: float


class Strategy(Protocol):
    """A way of going from v1 to v2."""

    @property
    def name(self) -> str:
        """As experiments and recordings call it."""

    def deploy(self, scene: Scene) -> None:
        """Put v1 in place behind the Service."""

    def change(self, scene: Scene) -> None:
        """Go to v2, with a mark at each act; return when the update is complete."""


@dataclass(frozen=True)
class OneDeployment:
    """The strategies that a Deployment knows by itself: the same manifest, applied with the next version.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy
    """

    name: str
    manifest: str

    def deploy(self, scene: Scene) -> None:
        """Apply the Deployment at v1, and the Service."""
        scene.parameters |= band(scene.apply(self.manifest, "v1"))
        scene.apply("service.yaml")
        scene.wait_deployed(self.manifest)

    def change(self, scene: Scene) -> None:
        """Apply the same Deployment at v2."""
        scene.step("kubectl apply de la version 2")
        scene.mark("apply", self.manifest)
        scene.apply(self.manifest, "v2")
        scene.wait_deployed(self.manifest)
        scene.mark("complete")


@dataclass(frozen=True)
class BlueGreen:
    """Two Deployments, one Service: its selector decides who answers.

    Blue stays after the switch. That costs twice the pods, and is what makes the way back immediate: it is measured
    here too.
    """

    name: str = "blue-green"

    def deploy(self, scene: Scene) -> None:
        """Apply blue, and the Service that points to it."""
        scene.apply("bleu.yaml", "v1")
        scene.apply("service-bleu.yaml")
        scene.wait_deployed("bleu.yaml")

    def change(self, scene: Scene) -> None:
        """Start green beside blue, switch once all of it is ready, then go back."""
        scene.step("démarrage de la version verte")
        scene.mark("apply", "vert.yaml")
        scene.apply("vert.yaml", "v2")
        scene.wait_deployed("vert.yaml")
        scene.step("bascule du Service")
        scene.mark("switch", "service-vert.yaml")
        scene.apply("service-vert.yaml")
        scene.mark("complete", at_s=scene.wait_version("v2"))
        scene.pause(SWITCHED_S)
        scene.step("retour à la version bleue")
        scene.mark("switch-back", "service-bleu.yaml")
        scene.apply("service-bleu.yaml")
        scene.wait_version("v1")


STRATEGIES: Mapping[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        OneDeployment("rolling-naive", "rolling-naif.yaml"),
        OneDeployment("rolling", "rolling.yaml"),
        OneDeployment("recreate", "recreate.yaml"),
        BlueGreen(),
    )
}
"""By name, in the order in which the course shows them."""
