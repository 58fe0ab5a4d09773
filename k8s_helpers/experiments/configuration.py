"""One setting read in three ways: changed while the programs run, then they are restarted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.configuration import configuration as draw
from ..cluster import Cluster, ServiceAddress
from ..forecasts.configuration import file_delay_s
from ..recorder import Reading
from ..recording import Recording
from ..timeline.configuration import VALUE
from .http import get
from .play import Play, opened

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


@stoppable
def configuration(
    *,
    cluster: Cluster | None = None,
    watch_s: float = 10.0,
    progress: Progress | None = None,
) -> Recording:
    """Change a ConfigMap under running pods and record which way of reading it follows, then restart the pods.

    The ways are an environment variable, a file of a mounted volume, and a file mounted alone by `subPath`.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    watch_s : float
        How long the ways that do not follow are watched after the file has, in seconds; 1 to 120.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        A time out of its bounds.
    WaitTimeoutError
        The file does not follow, or the restart does not end.
    """
    if not 1 <= watch_s <= 120:
        raise UsageError(
            "Mesurer ce que devient un réglage",
            f"{watch_s} s d’attente",
            "Donnez 1 à 120 s.",
        )
    with opened("configuration", "06_configmaps_et_secrets", cluster, progress, draw=draw) as show:
        predicted_s = file_delay_s(show.cluster.provider.kind)
        with show.play("configmap", "Un réglage change", predicted_s=list(predicted_s)) as play:
            play.apply("configmap.yaml")
            play.deploy("vitrine.yaml", "vitrine-subpath.yaml")
            ways = Ways(*(play.ready_address(service) for service in _SERVICES))
            with play.recorded(sample=ways.read, sample_period_s=_PERIOD_S):
                play.step("lecture du réglage 1")
                play.pause(BEFORE_S)
                play.step("le ConfigMap change ; le fichier monté doit suivre")
                play.mark("change")
                play.namespace.patch("configmap", _CONFIG_MAP, {"data": {_KEY: "réglage 2"}})
                play.until(
                    lambda: ways.seen["file"] == 2,
                    predicted_s[1] + _SLACK_S,
                    "le fichier monté montre le nouveau réglage",
                )
                play.step("les autres façons de lire suivent-elles ?")
                play.pause(watch_s)
                play.step("redémarrage des pods")
                play.mark("restart")
                for service in _SERVICES:
                    _restart(play, service)
                for service in _SERVICES:
                    play.wait_rollout(service)
                play.until(
                    lambda: set(ways.seen.values()) == {2},
                    _RENEWED_S,
                    "après le redémarrage, le nouveau réglage est lu de toutes les façons",
                )
                play.pause(AFTER_S)
        return show.recording()


class Ways:
    """What each way of reading the setting shows.

    Parameters
    ----------
    whole, alone : ServiceAddress
        The program whose folder is mounted whole, and that whose file is mounted alone.

    Attributes
    ----------
    seen : dict
        Number of the setting that each way showed last.
    """

    def __init__(self, whole: ServiceAddress, alone: ServiceAddress) -> None:
        self.seen: dict[str, int] = {"env": 0, "file": 0, "subpath": 0}
        self._whole, self._alone = whole, alone

    def read(self) -> Iterator[Reading]:
        """Ask both programs; one that does not answer, while it is replaced, tells nothing."""
        whole, alone = _settings(self._whole), _settings(self._alone)
        found = {
            "env": whole.get("env"),
            "file": whole.get("file"),
            "subpath": alone.get("file"),
        }
        for way, number in found.items():
            if number is not None:
                self.seen[way] = number
                yield VALUE, float(number), way


def _settings(address: ServiceAddress) -> dict[str, int]:
    """Return the number of the setting by the environment and by the file; {} where nobody answers."""
    answer = get(address, "/config", timeout_s=_ANSWER_S)
    if answer.status != 200:
        return {}
    plain = json.loads(answer.body)
    return {"env": _number(plain["env"]["MESSAGE"]), "file": _number(plain["file"]["content"])}


def _number(setting: str) -> int:
    """Return the number that a setting ends with; 0 for what is none of the experiment's."""
    last = setting.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


def _restart(play: Play, name: str) -> None:
    """Do what `kubectl rollout restart` does."""
    stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
    template = {"template": {"metadata": {"annotations": stamp}}}
    play.namespace.patch("deployment", name, {"spec": template})
