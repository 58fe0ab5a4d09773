"""Where a strategy of update plays: the course's manifests, fitted to a setting."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .. import _paths, manifests
from ..cluster import Namespace
from .stage import ANSWER_TIMEOUT_S, Stage
from .strategies import Setting

MANIFESTS = _paths.COURSE / "notebooks" / "manifests" / "09_mises_a_jour"
SERVICE = "vitrine"


class Scene(Stage):
    """What strategies act on.

    Parameters
    ----------
    namespace : Namespace
        Their own.
    setting : Setting
        Replicas, images, rate, start-up time.
    strategy : str
        Which one plays.

    Attributes
    ----------
    setting, strategy
        As above.
    """

    def __init__(self, namespace: Namespace, setting: Setting, strategy: str) -> None:
        parameters = {
            "strategy": strategy,
            "replicas": setting.replicas,
            "rate_per_s": setting.rate_per_s,
            "startup_s": setting.startup_s,
        }
        super().__init__(namespace, lambda _: None, parameters)
        self.setting = setting
        self.strategy = strategy
        self.answer_timeout_s = setting.startup_s + ANSWER_TIMEOUT_S

    def apply(self, manifest: str, version: str | None = None) -> dict[str, Any]:
        """Apply one of the course's manifests, with the setting's replicas, image and start-up time."""
        (found,) = manifests.read(MANIFESTS / manifest)
        (applied,) = self.namespace.apply(fit(found.object, self.setting, version))
        return applied

    def wait_deployed(self, manifest: str) -> None:
        """Wait until the Deployment of a manifest is wholly rolled out."""
        (found,) = manifests.read(MANIFESTS / manifest)
        self.wait_rollout(found.object["metadata"]["name"])

    def wait_version(self, version: str) -> float:
        """Wait until only that version answers; return since when, on the run's clock."""
        return self.await_row(
            lambda one: one.version == version, f"seule {version} répond", self.answer_timeout_s
        )


def fit(plain: Mapping[str, Any], setting: Setting, version: str | None) -> dict[str, Any]:
    """Return an object of the course with the setting's replicas, image and start-up time; others as they are."""
    if plain["kind"] != "Deployment" or version is None:
        return dict(plain)
    fitted: dict[str, Any] = copy.deepcopy(dict(plain))
    spec = fitted["spec"]
    spec["replicas"] = setting.replicas
    spec["template"]["metadata"]["labels"]["version"] = version
    (container,) = spec["template"]["spec"]["containers"]
    container["image"] = setting.images[version]
    for variable in container.get("env", ()):
        if variable["name"] == "STARTUP_SECONDS":
            variable["value"] = f"{setting.startup_s:g}"
    return fitted
