"""The embedded cluster against another revision of itself, against Docker and against kind; writes a page of it.

    python -m benchmarks.engine --baseline REVISION [--rounds 5] [--page docs/performances.md] [PART…]

Rounds alternate: a revision, this one, the first again. What is compared was thus measured in the same minutes. Docker
and kind are left out where they are not. Best on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded_kubernetes.processes import run
from k8s_helpers import _paths
from k8s_helpers.cluster import Cluster
from k8s_helpers.providers.kind.engine import find_engine

from . import baseline, registry
from .harness import NAME, PODS, Sightings, cluster_of, is_running
from .page import sections
from .service_latency import DURATION_S, RATE_PER_S, latencies_ms

_SIDE = Path(__file__).with_name("engine_side.py")
_ROUND_S = 600
_PULLED_BYTES = 100_000_000
_PYTHON = "K8S_HELPERS_BASE_IMAGE_PYTHON"


@dataclass(frozen=True)
class Comparison:
    """Two sides of one measure.

    Attributes
    ----------
    what, unit, other : str
        In French: what was measured, in what, and against whom.
    before, now : sequence of float
        The values of the other side and of this one.
    bar : float
        The most that this side's may be: a value, or times the other's where `times` is true.
    share : float
        Which value of a side counts: 0.5 is the median.
    """

    what: str
    unit: str
    other: str
    before: Sequence[float]
    now: Sequence[float]
    bar: float
    times: bool
    share: float = 0.5

    def value(self, side: Sequence[float]) -> float:
        """Return what counts of a side."""
        if self.share == 0.5:
            return statistics.median(side)
        return sorted(side)[min(len(side) - 1, int(self.share * len(side)))]

    @property
    def ok(self) -> bool:
        """Whether the bar is reached."""
        limit = self.bar * self.value(self.before) if self.times else self.bar
        return self.value(self.now) <= limit

    def row(self) -> str:
        """Return a line of the page's table."""
        bar = f"≤ {_number(self.bar)} {'×' if self.times else self.unit}"
        sides = " | ".join(self._side(side) for side in (self.before, self.now))
        ratio = (
            f"{_number(self.value(self.now) / self.value(self.before))} ×" if self.before else "–"
        )
        reached = "oui" if self.ok else "**non**"
        return f"| {self.what} | {self.other} | {sides} | {ratio} | {bar} | {reached} |"

    def _side(self, side: Sequence[float]) -> str:
        if not side:
            return "–"
        value = f"{_number(self.value(side))} {self.unit}"
        if len(side) < 4 or self.share != 0.5:
            return value
        low, _, high = statistics.quantiles(side, n=4)
        return f"{value} ({_number(low)} à {_number(high)})"


def _number(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}".replace(".", ",")


def revisions(revision: str, rounds: int) -> Iterator[Comparison]:
    """Compare this revision with another: start, pods, memory."""
    sides: dict[str, dict[str, list[float]]] = {"before": {}, "now": {}}
    with (
        tempfile.TemporaryDirectory(prefix="engine-") as folder,
        baseline.interpreter(revision, Path(folder)) as python,
    ):
        pythons = {"before": python, "now": sys.executable}
        images = {"before": "busybox:1.35", "now": "host/shell"}
        made, archive = busybox()
        if archive is not None:
            images["now"] = made
            _run_side(sys.executable, Path(folder) / "now", {"archive": archive})
        for number in range(rounds):
            for name, interpreter in pythons.items():
                print(f"round {number + 1}/{rounds}, {name}", file=sys.stderr, flush=True)
                parameters = {"image": images[name], "ones": 10, "twenties": 3}
                said = _run_side(interpreter, Path(folder) / name, parameters)
                for what, values in json.loads(said.splitlines()[-1]).items():
                    sides[name].setdefault(what, []).extend(values)
    for what, words, unit, bar, times in (
        ("first_s", "`k8s-lab up` à froid → premier pod Running", "s", 1.05, True),
        ("one_ms", "un pod : création → Ready, par l’API", "ms", 60.0, False),
        ("twenty_s", "20 pods à la fois → tous Ready", "s", 0.8, False),
        ("node_mb", "mémoire du nœud (`PSS`), 50 pods", "Mo", 1.2, True),
    ):
        yield Comparison(
            words, unit, "avant", sides["before"][what], sides["now"][what], bar, times
        )


def _run_side(python: str, home: Path, parameters: Mapping[str, object]) -> str:
    """Run one side in a home of its own with this machine's programs of Kubernetes; return what it printed."""
    home.mkdir(exist_ok=True)
    cache = home / "cache"
    if not cache.exists():
        cache.symlink_to(_paths.cache_dir())
    return run(
        [python, str(_SIDE), json.dumps(parameters)],
        timeout_s=_ROUND_S,
        env={"K8S_HELPERS_HOME": str(home)},
        cwd=home,
    ).stdout


def busybox() -> tuple[str, str | None]:
    """Return a real image and its archive, made of Debian's package; this machine's shell where that cannot be."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return "host/shell", None
    maker = [sys.executable, str(_paths.COURSE / "toolchain" / "images"), "busybox"]
    reference, _, archive = run(maker, timeout_s=120).stdout.strip().partition("\t")
    return reference, archive


def pulls(_revision: str, rounds: int) -> Iterator[Comparison]:
    """Compare pulling until Running with `docker pull` and `docker run`."""
    content, made = registry.Content(_PULLED_BYTES), dict[str, registry.Image]()
    here: list[float] = []
    docker: list[float] = []
    engine = find_engine()
    size = ""
    with registry.serving(made) as host, cluster_of("embedded") as cluster:
        for number in range(rounds):
            made["mesure"] = content.image(f"{time.time_ns()}-{number}")
            size = _number(made["mesure"].size_bytes / 1e6)
            here.append(_pulled_s(cluster, f"{host}/mesure:1"))
            if engine is not None:
                docker.append(_docker_s(engine, f"{host}/mesure:1"))
    if not docker:
        return
    words = f"image de {size} Mo, registre local : téléchargement → Running"
    yield Comparison(words, "s", "`docker pull` et `docker run`", docker, here, 1.3, True)


def _pulled_s(cluster: Cluster, reference: str) -> float:
    """Return the time from a pod's creation to its running with an image that is not there; removes both."""
    container = {"name": "sleep", "image": reference}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pulled"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    with Sightings(cluster, PODS, is_running) as seen:
        time.sleep(0.3)
        began_s = time.monotonic()
        cluster.api.request("POST", PODS, body=body)
        took_s = seen.wait(["pulled"], timeout_s=120) - began_s
    query = {"gracePeriodSeconds": 0}
    cluster.api.request("DELETE", f"{PODS}/pulled", query=query)
    while cluster.api.find(f"{PODS}/pulled"):
        time.sleep(0.05)
    lab = str(Path(sys.executable).with_name("k8s-lab"))
    run([lab, "image", "remove", reference, "--provider", "embedded", "--name", NAME], timeout_s=60)
    return took_s


def _docker_s(docker: str, reference: str) -> float:
    """Return the time of a pull and a start, both commands included; removes both."""
    began_s = time.monotonic()
    run([docker, "pull", "--quiet", reference], timeout_s=120)
    container = run([docker, "run", "--detach", reference], timeout_s=60).stdout.strip()
    took_s = time.monotonic() - began_s
    run([docker, "rm", "--force", container], timeout_s=60)
    run([docker, "rmi", reference], timeout_s=60)
    return took_s


def services(_revision: str, rounds: int) -> Iterator[Comparison]:
    """Compare HTTP through a Service with kind's."""
    kind: list[float] = []
    here: list[float] = []
    with _kind() as other, cluster_of("embedded") as cluster:
        for _ in range(rounds):
            here += latencies_ms(cluster, "host/python")
            if other is not None:
                kind += latencies_ms(
                    other, os.environ.get(_PYTHON) or "docker.io/library/python:3.13-slim"
                )
    if not kind:
        return
    words = f"HTTP de pod à pod par un Service, {RATE_PER_S} requêtes/s pendant {DURATION_S} s"
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        yield Comparison(f"{words} : {name}", "ms", "kind", kind, here, 1.5, True, share)


@contextmanager
def _kind() -> Iterator[Cluster | None]:
    """Give a kind cluster with Python's image where kind is, None elsewhere."""
    engine = find_engine()
    if engine is None or shutil.which("kind") is None:
        print("kind is left out: no engine, or no kind command", file=sys.stderr)
        yield None
        return
    with cluster_of("kind") as cluster:
        if image := os.environ.get(_PYTHON):
            run(["kind", "load", "docker-image", image, "--name", NAME], timeout_s=300)
        yield cluster


PARTS: Mapping[str, Callable[[str, int], Iterator[Comparison]]] = {
    "revisions": revisions,
    "pulls": pulls,
    "services": services,
}


def page(rows: Sequence[Comparison], revision: str, rounds: int) -> str:
    """Return the page of the documentation."""
    commit = run(["git", "-C", str(_paths.COURSE), "rev-parse", "--short", revision], timeout_s=30)
    machine = f"{os.cpu_count()} processeurs"
    table = "\n".join(row.row() for row in rows)
    return f"""# Performances du cluster embarqué

Écrit par `python -m benchmarks.engine` en un seul passage, {rounds} tours, côtés alternés, sur une machine de {machine}
qui faisait aussi autre chose. Médiane, et entre parenthèses les quartiles. « Avant » est la révision
`{commit.stdout.strip()}` : les conteneurs y étaient des programmes de la machine, sur son réseau. Maintenant, chaque
pod a son réseau, et les fichiers de son image ; l’image des pods est `busybox`, déjà là.

| mesure | comparée à | l’autre | ici | rapport | seuil | atteint |
|---|---|---:|---:|---:|---|---|
{table}
"""


def main() -> int:
    """Measure the named parts, print the table and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--baseline", required=True, metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    rows = []
    for name in options.parts or PARTS:
        for row in PARTS[name](options.baseline, options.rounds):
            print(row.row(), file=sys.stderr, flush=True)
            rows.append(row)
    text = page(rows, options.baseline, options.rounds)
    print(text)
    if options.page:
        options.page.write_text(f"{text.rstrip()}\n\n{sections(options.page)}", encoding="utf-8")
    return int(not all(row.ok for row in rows))


if __name__ == "__main__":
    sys.exit(main())
