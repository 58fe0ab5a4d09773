"""`make bench-peers`: the embedded cluster against another revision of it, kwokctl and kind, in alternating rounds.

    python -m benchmarks.peers --baseline REVISION [--rounds 9] [--without kind,kwok] [--page FILE] [--figure FILE]

A round makes each side's cluster anew and deletes it; the order turns from round to round. All sides are asked by the
same client. Best on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from k8s_helpers import _paths
from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.kube.api import ApiSession

from . import baseline, page, processes
from .harness import PODS, Sightings, at_once, is_ready, is_running, pod_spec
from .peer_sides import Before, Embedded, Kind, Kwok, Side

SETTLE_S = 10.0
TITLE = "À côté des autres"
_POLL_S = 0.02
_PATIENCE_S = 120.0

MEASURES = {
    "first_s": ("à froid, de la commande au premier pod Running", "s"),
    "up_s": ("… jusqu’à ce que la commande rende la main", "s"),
    "idle_mb": ("mémoire du cluster au repos (somme des PSS)", "Mo"),
    "idle_percent": ("processeur au repos, part d’un cœur", "%"),
    "one_ms": ("1 pod, de la création à Ready", "ms"),
    "twenty_s": ("20 pods à la fois", "s"),
    "hundred_s": ("100 pods à la fois", "s"),
    "deployments_s": ("50 Deployments d’un pod, tous disponibles", "s"),
    "fifty_mb": ("mémoire du cluster avec ces 50 pods", "Mo"),
    "namespace_s": ("supprimer un espace de noms de 50 pods", "s"),
}
"""What is measured: the words of the table, and in what."""

Values = dict[str, list[float]]


class Round:
    """All measures of one side's new cluster.

    Parameters
    ----------
    side : Side
        Whose cluster; it is not up yet.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.values: Values = {name: [] for name in MEASURES}
        self._image = ""
        self._numbers = iter(range(10_000))

    def run(self) -> Values:
        """Make the cluster, measure, delete it; return the values by the names of `MEASURES`."""
        began_s = time.monotonic()
        try:
            self.side.up()
            self._keep("up_s", time.monotonic() - began_s)
            api = ApiSession(self.side.kubeconfig)
            try:
                self._measure(api, began_s)
            finally:
                api.close()
        finally:
            self.side.down()
        return self.values

    def _measure(self, api: ApiSession, began_s: float) -> None:
        self._image = self.side.image(api)
        cluster: Any = SimpleNamespace(api=api)  # what `Sightings` asks of a cluster
        with Sightings(cluster, PODS, is_running) as seen:
            _accepted(lambda: self._create(api, "default", "first"))
            self._keep("first_s", seen.wait(["first"]) - began_s)
        _emptied(api, PODS)
        time.sleep(SETTLE_S)
        self._keep("idle_percent", processes.cpu_percent(self.side.pids()))
        self._keep("idle_mb", _memory_mb(self.side.pids()))
        for _ in range(5):
            self._keep("one_ms", 1000 * self._ready_s(cluster, "default", 1))
        for name, count in (("twenty_s", 20), ("hundred_s", 100)):
            self._keep(name, self._ready_s(cluster, "default", count))
        self._keep("namespace_s", self._deletion_s(cluster))
        self._keep("deployments_s", self._deployments_s(cluster))
        time.sleep(SETTLE_S)
        self._keep("fifty_mb", _memory_mb(self.side.pids()))

    def _keep(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def _create(self, api: ApiSession, namespace: str, name: str) -> None:
        metadata = {"name": name}
        body = {"metadata": metadata, "spec": pod_spec(self._image)}
        path = f"/api/v1/namespaces/{namespace}/pods"
        api.request("POST", path, body={"apiVersion": "v1", "kind": "Pod", **body})

    def _ready_s(self, cluster: Any, namespace: str, count: int, *, keep: bool = False) -> float:
        """Return the time from the first POST until the last of the pods was seen Ready."""
        series = next(self._numbers)
        names = [f"pod-{series}-{index}" for index in range(count)]
        path = f"/api/v1/namespaces/{namespace}/pods"
        with Sightings(cluster, path, is_ready) as seen:
            time.sleep(0.3)  # the watch must stand before the pods come
            began_s = at_once(lambda name: self._create(cluster.api, namespace, name), names)
            took_s = seen.wait(names, _PATIENCE_S) - began_s
        if not keep:
            _emptied(cluster.api, path)
        return took_s

    def _deletion_s(self, cluster: Any) -> float:
        namespace = f"full-{next(self._numbers)}"
        path = f"/api/v1/namespaces/{namespace}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        cluster.api.request("POST", "/api/v1/namespaces", body=body)
        _until(lambda: cluster.api.find(f"{path}/serviceaccounts/default") is not None)
        self._ready_s(cluster, namespace, 50, keep=True)
        began_s = time.monotonic()
        cluster.api.request("DELETE", path)
        _until(lambda: cluster.api.find(path) is None)
        return time.monotonic() - began_s

    def _deployments_s(self, cluster: Any) -> float:
        path = "/apis/apps/v1/namespaces/default/deployments"

        def create(name: str) -> None:
            template = {"metadata": {"labels": {"app": name}}, "spec": pod_spec(self._image)}
            spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
            head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}}
            cluster.api.request("POST", path, body={**head, "spec": spec})

        names = [f"deployment-{index}" for index in range(50)]
        with Sightings(cluster, path, _is_available) as seen:
            time.sleep(0.3)
            began_s = at_once(create, names)
            return seen.wait(names, _PATIENCE_S) - began_s


def _is_available(deployment: Mapping[str, Any]) -> bool:
    return deployment.get("status", {}).get("availableReplicas") == 1


def _accepted(create: Callable[[], None]) -> None:
    """Create something as soon as the cluster takes it: a pod needs a ServiceAccount that a controller makes."""

    def once() -> bool:
        try:
            create()
        except K8sHelpersError:
            return False
        return True

    _until(once)


def _until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > end_s:
            raise TimeoutError(f"not after {_PATIENCE_S:g} s")
        time.sleep(_POLL_S)


def _emptied(api: ApiSession, path: str) -> None:
    """Delete all pods of a namespace, and wait until none is left."""
    query = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
    api.request("DELETE", path, query=query)
    _until(lambda: not api.request("GET", path)["items"])


def _memory_mb(pids: Sequence[int]) -> float:
    """Return the sum of what processes hold (Pss); one that has just ended holds nothing."""
    total_mb = 0.0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            total_mb += processes.proportional_mb([pid])
    return total_mb


@contextlib.contextmanager
def _sides(revision: str, without: Sequence[str]) -> Iterator[list[Side]]:
    with (
        tempfile.TemporaryDirectory(prefix="peers-") as folder,
        baseline.interpreter(revision, Path(folder) / "old") as python,
    ):
        root = Path(folder).resolve()
        sides: list[Side] = [Before(root / "a", python), Embedded(root / "b")]
        if "kwok" not in without:
            sides.append(Kwok(root / "c"))
        if "kind" not in without:
            sides.append(Kind(root / "d"))
        yield sides


def compare(revision: str, rounds: int, without: Sequence[str]) -> dict[str, Values]:
    """Measure all sides in alternating rounds; return their values by the sides' names.

    Parameters
    ----------
    revision : str
        What "before" is.
    rounds : int
        How many clusters of each side.
    without : sequence of str
        "kwok", "kind": sides that are left out.
    """
    with _sides(revision, without) as sides:
        found: dict[str, Values] = {side.name: {name: [] for name in MEASURES} for side in sides}
        for number in range(rounds):
            turn = number % len(sides)
            for side in (*sides[turn:], *sides[:turn]):
                print(f"round {number + 1}/{rounds}: {side.name}", file=sys.stderr, flush=True)
                for name, values in Round(side).run().items():
                    found[side.name][name] += values
    return found


def table(found: Mapping[str, Values]) -> str:
    """Return medians with their quartiles, and how many times the embedded cluster's each other side's median is."""
    names = list(found)
    lines = [f"| mesure | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for measure, (words, unit) in MEASURES.items():
        here = statistics.median(found[Embedded.name][measure])
        cells = [_cell(found[name][measure], unit, here, name) for name in names]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: Sequence[float], unit: str, here: float, name: str) -> str:
    median = statistics.median(values)
    cell = f"{_number(median)} {unit}"
    if len(values) > 3:
        low, _, high = statistics.quantiles(values, n=4)
        cell += f" ({_number(low)} à {_number(high)})"
    return cell if name == Embedded.name or not here else f"{cell}, {_number(median / here)} ×"


def _number(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}".replace(".", ",")


def section(found: Mapping[str, Values], revision: str, rounds: int, figure: Path | None) -> str:
    """Return the section of the documentation's page."""
    commit = baseline.run(
        ["git", "-C", str(_paths.COURSE), "rev-parse", "--short", revision], timeout_s=30
    ).stdout.strip()
    image = f"\n\n![Médianes, l’embarqué compté 1](images/{figure.name})" if figure else ""
    processors = os.cpu_count()
    return f"""Écrit par `make bench-peers` : {rounds} tours alternés, {processors} processeurs, un cluster neuf par
tour et par côté, le même client pour tous. Médiane, quartiles entre parenthèses, puis le rapport à l’embarqué
d’aujourd’hui ; « avant » est la révision `{commit}`. kwokctl lance les mêmes programmes de Kubernetes, mais ses
pods sont fictifs : rien ne s’exécute. Le conteneur de kind est compté avec tout ce qui y tourne.

{table(found)}{image}"""


def draw(found: Mapping[str, Values], figure: Path) -> None:
    """Draw each side's medians as multiples of the embedded cluster's."""
    from matplotlib.figure import Figure

    chart = Figure(figsize=(8, 6), layout="constrained")
    axes = chart.add_subplot()
    height = 0.8 / len(found)
    for index, (name, values) in enumerate(found.items()):
        ratios = [
            statistics.median(values[measure]) / statistics.median(found[Embedded.name][measure])
            for measure in MEASURES
        ]
        places = [row + index * height for row in range(len(MEASURES))]
        axes.barh(places, ratios, height=height, label=name)
    axes.set_yticks([row + 0.4 for row in range(len(MEASURES))])
    axes.set_yticklabels([words for words, _ in MEASURES.values()])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("fois la valeur de l’embarqué (moins, c’est mieux)")
    axes.legend()
    chart.savefig(figure, dpi=120)


def main() -> int:
    """Measure, print the table, write the section and the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--baseline", required=True, metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--without", default="", metavar="kind,kwok")
    parser.add_argument("--page", type=Path, help="the page that gets the section")
    parser.add_argument("--figure", type=Path, help="where the picture is drawn (PNG)")
    options = parser.parse_args()
    found = compare(options.baseline, options.rounds, options.without.split(","))
    if options.figure:
        draw(found, options.figure)
    text = section(found, options.baseline, options.rounds, options.figure)
    print(text)
    if options.page:
        page.write_section(options.page, TITLE, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
