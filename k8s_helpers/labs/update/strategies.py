"""What each strategy of update does, step by step: the manifests it applies and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...forecasts.rollout import band
from ...measure.lane import ANSWER_TIMEOUT_S, Change, Lane

SERVICE = "vitrine"
SWITCHED_S = 3.0
"""How long blue-green stays on green before the way back is measured."""


class Strategy(Protocol):
    """A way of going from v1 to v2."""

    @property
    def name(self) -> str:
        """As experiments and recordings call it."""

    def deploy(self, lane: Lane) -> None:
        """Put v1 in place behind the Service."""

    def change(self, lane: Lane) -> None:
        """Go to v2, with a mark at each act; return when the update is complete."""


@dataclass(frozen=True)
class OneDeployment:
    """The strategies that a Deployment knows by itself: the same manifest, applied with the next version.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy
    """

    name: str
    manifest: str

    def deploy(self, lane: Lane) -> None:
        """Apply the Deployment at v1, and the Service."""
        deployment = _apply(lane, self.manifest, "v1")
        lane.parameters |= band(deployment)
        lane.apply("service.yaml")
        lane.wait_rollout(deployment["metadata"]["name"])

    def change(self, lane: Lane) -> None:
        """Apply the same Deployment at v2."""
        lane.step("kubectl apply de la version 2")
        lane.mark("apply", self.manifest)
        lane.wait_rollout(_apply(lane, self.manifest, "v2")["metadata"]["name"])
        lane.mark("complete")


@dataclass(frozen=True)
class BlueGreen:
    """Two Deployments, one Service: its selector decides who answers.

    Blue stays after the switch. That costs twice the pods, and is what makes the way back immediate: it is measured
    here too.
    """

    name: str = "blue-green"

    def deploy(self, lane: Lane) -> None:
        """Apply blue, and the Service that points to it."""
        blue = _apply(lane, "bleu.yaml", "v1")
        lane.apply("service-bleu.yaml")
        lane.wait_rollout(blue["metadata"]["name"])

    def change(self, lane: Lane) -> None:
        """Start green beside blue, switch once all of it is ready, then go back."""
        lane.step("démarrage de la version verte")
        lane.mark("apply", "vert.yaml")
        lane.wait_rollout(_apply(lane, "vert.yaml", "v2")["metadata"]["name"])
        lane.step("bascule du Service")
        lane.mark("switch", "service-vert.yaml")
        lane.apply("service-vert.yaml")
        lane.mark("complete", at_s=_wait_version(lane, "v2"))
        lane.pause(SWITCHED_S)
        lane.step("retour à la version bleue")
        lane.mark("switch-back", "service-bleu.yaml")
        lane.apply("service-bleu.yaml")
        _wait_version(lane, "v1")


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


def answer_timeout_s(lane: Lane) -> float:
    """Return how long to wait for answers of a program that takes `startup_s` to start."""
    return float(lane.parameters["startup_s"]) + ANSWER_TIMEOUT_S


def _apply(lane: Lane, manifest: str, version: str) -> dict[str, Any]:
    """Apply a Deployment of the course at a version of the program."""
    (deployment,) = lane.apply(manifest, at_version(lane, version))
    return deployment


def at_version(lane: Lane, version: str) -> Change:
    """Return what puts a Deployment at a version of the program, with the lane's replicas and start-up time."""

    def change(plain: dict[str, Any]) -> None:
        spec = plain["spec"]
        spec["replicas"] = lane.parameters["replicas"]
        spec["template"]["metadata"]["labels"]["version"] = version
        (container,) = spec["template"]["spec"]["containers"]
        container["image"] = lane.image(version)
        for variable in container.get("env", ()):
            if variable["name"] == "STARTUP_SECONDS":
                variable["value"] = f"{lane.parameters['startup_s']:g}"

    return change


def _wait_version(lane: Lane, version: str) -> float:
    """Wait until only that version answers; return since when, on the run's clock."""
    return lane.await_row(
        lambda request: request.version == version,
        f"seule {version} répond",
        answer_timeout_s(lane),
    )
