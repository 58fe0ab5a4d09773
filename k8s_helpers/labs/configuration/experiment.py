"""One setting read in three ways: changed while the programs run, then they are restarted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ..._checks import bounds
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, ServiceAddress
from ...kube.http import get
from ...measure.lane import Lane
from ...measure.recorder import Reading
from ...measure.recording import Recording
from .forecast import file_delay_s
from .lab import LAB
from .summary import VALUE, ReadBy

BEFORE_S = 2.0
AFTER_S = 2.0
_PERIOD_S = 0.25
_ANSWER_S = 2.0
_SLACK_S = 30.0
"""How much longer than forecast the file is waited for."""
_RENEWED_S = 60.0
"""After a rollout, old pods that end still answer until every Service proxy has heard of it."""
_CONFIG_MAP, _KEY = "reglages", "message"
_SERVICES = ("vitrine", "vitrine-subpath")
_PLACES = {
    ReadBy.ENV: ("vitrine", "env"),
    ReadBy.FILE: ("vitrine", "file"),
    ReadBy.SUBPATH: ("vitrine-subpath", "file"),
}
"""The program that shows each way of reading the setting, and where in its answer."""


@stoppable
def measure(
    *,
    cluster: Cluster | None = None,
    watch_s: float = 10.0,
    progress: Progress | None = None,
) -> Recording:
    """Change a ConfigMap under running pods and record which way of reading it follows, then restart the pods.

    The ways are an environment variable, a file of a mounted volume, and a file mounted alone by `subPath`.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    watch_s : float
        How long the ways that do not follow are watched after the file has, in seconds; 1 to 120.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        A time out of its bounds.
    WaitTimeoutError
        The file does not follow, or the restart does not end.
    """
    bounds("Mesurer ce que devient un réglage", (watch_s, 1, 120, "s d’attente"))
    with LAB.open(cluster, progress) as measure:
        predicted_s = file_delay_s(measure.cluster.provider.kind)
        with measure.lane(
            "configmap", "Un réglage change", {"predicted_s": list(predicted_s)}
        ) as lane:
            lane.apply("configmap.yaml")
            lane.deploy("vitrine.yaml", "vitrine-subpath.yaml")
            ways = Ways({service: lane.ready_address(service) for service in _SERVICES})
            with lane.recorded(sample=ways.read, sample_period_s=_PERIOD_S):
                lane.step("lecture du réglage 1")
                lane.pause(BEFORE_S)
                lane.step("le ConfigMap change ; le fichier monté doit suivre")
                lane.mark("change")
                lane.namespace.patch("configmap", _CONFIG_MAP, {"data": {_KEY: "réglage 2"}})
                lane.until(
                    lambda: ways.seen[ReadBy.FILE] == 2,
                    predicted_s[1] + _SLACK_S,
                    "le fichier monté montre le nouveau réglage",
                )
                lane.step("les autres façons de lire suivent-elles ?")
                lane.pause(watch_s)
                lane.step("redémarrage des pods")
                lane.mark("restart")
                for service in _SERVICES:
                    _restart(lane, service)
                for service in _SERVICES:
                    lane.wait_rollout(service)
                lane.until(
                    lambda: set(ways.seen.values()) == {2},
                    _RENEWED_S,
                    "après le redémarrage, le nouveau réglage est lu de toutes les façons",
                )
                lane.pause(AFTER_S)
        return measure.recording()


class Ways:
    """What each way of reading the setting shows.

    Parameters
    ----------
    addresses : mapping of str to ServiceAddress
        Of the programs, by their Service.

    Attributes
    ----------
    seen : dict
        Number of the setting that each way showed last.
    """

    def __init__(self, addresses: Mapping[str, ServiceAddress]) -> None:
        self.seen = dict.fromkeys(ReadBy, 0)
        self._addresses = addresses

    def read(self) -> Iterator[Reading]:
        """Ask both programs; of one that does not answer, while it is replaced, nothing is noted."""
        shown = {name: _settings(address) for name, address in self._addresses.items()}
        for way, (service, place) in _PLACES.items():
            if (number := shown[service].get(place)) is not None:
                self.seen[way] = number
                yield VALUE, float(number), way


def _settings(address: ServiceAddress) -> dict[str, int]:
    """Return the number of the setting by the environment and by the file; {} where nobody answers."""
    answer = get(address, "/config", timeout_s=_ANSWER_S)
    if answer.status != 200:
        return {}
    plain = answer.json()
    return {"env": _number(plain["env"]["MESSAGE"]), "file": _number(plain["file"]["content"])}


def _number(setting: str) -> int:
    """Return the number that a setting ends with; 0 for what is none of the experiment's."""
    last = setting.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


def _restart(lane: Lane, name: str) -> None:
    """Do what `kubectl rollout restart` does."""
    stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
    template = {"template": {"metadata": {"annotations": stamp}}}
    lane.namespace.patch("deployment", name, {"spec": template})
