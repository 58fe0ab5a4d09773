"""The same update measured from this machine, by a NodePort on loopback, and from the traffic pod in the cluster.

    python -m benchmarks.traffic_from_pod [--rounds 6] [--page docs/performances.md] [--figure docs/images/trafic.png]

On the cluster in use (`K8S_HELPERS_PROVIDER=kind` or `embedded`), where NodePorts lead here: a naive rolling update of
the vitrine, which loses requests, under both traffics at once, as two updates never lose the same. Which of the two
starts first alternates.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from k8s_helpers import _paths, _progress
from k8s_helpers._french import number
from k8s_helpers.builds import images
from k8s_helpers.cluster import Cluster, Namespace, addresses, connect
from k8s_helpers.draw import style
from k8s_helpers.kube import manifests
from k8s_helpers.kube.http import ServiceAddress
from k8s_helpers.measure.lane import fit
from k8s_helpers.measure.recording import Request
from k8s_helpers.measure.traffic import Traffic

from .load_generator import percentile
from .page import write_section

RATE_PER_S = 50.0
BEFORE_S, AFTER_S = 4.0, 4.0
LOST_BAR, LATENCY_BAR = 0.05, 0.20
SHARES = (0.50, 0.90, 0.99)
FOLDER = _paths.COURSE / "notebooks" / "manifests" / "09_mises_a_jour"
WAYS = ("NodePort", "pod")
TITLE = "Trafic depuis un pod"


@dataclass(frozen=True)
class Round:
    """What both ways saw of one update: their requests, by way; and how sure the pod's instants are."""

    requests: dict[str, tuple[Request, ...]]
    uncertainty_s: float

    def lost(self, way: str) -> int:
        """Return how many requests failed."""
        return sum(not request.ok for request in self.requests[way])

    def latency_s(self, way: str, share: float) -> float:
        """Return a percentile of how long good answers took."""
        return percentile(
            [one.answered_s - one.sent_s for one in self.requests[way] if one.ok], share
        )


def measure(cluster: Cluster, count: int) -> list[Round]:
    """Update the vitrine some times, each in a namespace of its own."""
    tags = {
        f"vitrine:{version}": images.ensure(cluster, "vitrine", version) for version in ("v1", "v2")
    }
    found = []
    for number_ in range(count):
        namespace = cluster.namespace(f"trafic-{number_}").create(passing=True)
        try:
            found.append(_update(cluster, namespace, tags, number_ % 2 == 1))
        finally:
            namespace.delete(timeout_s=0)
    return found


def _update(cluster: Cluster, namespace: Namespace, tags: dict[str, str], turned: bool) -> Round:
    for manifest in manifests.read(FOLDER / "rolling-naif.yaml"):
        namespace.apply(fit(manifest.object, tags))
    namespace.apply(FOLDER / "service.yaml")
    namespace.wait_rollout("vitrine")
    ways = _ways(cluster, namespace)
    order = WAYS[::-1] if turned else WAYS
    with ExitStack() as running:
        traffics = {
            way: running.enter_context(Traffic(ways[way], rate_per_s=RATE_PER_S)) for way in order
        }
        time.sleep(BEFORE_S)
        _to_second(namespace, tags)
        namespace.wait_rollout("vitrine")
        time.sleep(AFTER_S)
    begin_s = max(traffic.zero_monotonic_s for traffic in traffics.values())
    cut = {way: _since(traffics[way], begin_s) for way in WAYS}
    return Round(cut, traffics["pod"].parameters["clock_uncertainty_s"])


def _ways(cluster: Cluster, namespace: Namespace) -> dict[str, ServiceAddress]:
    address = namespace.service_url("vitrine")
    if address.via != "node-port":
        raise SystemExit("No NodePort of this cluster leads here.")
    service = namespace.get("service", "vitrine")
    port = addresses.choose_port(service, None)
    inside = addresses.inside_address(cluster.api, cluster.provider, service, port)
    return {"NodePort": address, "pod": replace(address, inside=inside)}


def _to_second(namespace: Namespace, tags: dict[str, str]) -> None:
    deployment = namespace.get("deployment", "vitrine")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    template = {
        "metadata": {"labels": {"version": "v2"}},
        "spec": {"containers": [{"name": container["name"], "image": tags["vitrine:v2"]}]},
    }
    namespace.patch("deployment", "vitrine", {"spec": {"template": template}})


def _since(traffic: Traffic, begin_s: float) -> tuple[Request, ...]:
    """Return the requests that were due once both were sending."""
    from_s = begin_s - traffic.zero_monotonic_s
    return tuple(request for request in traffic.requests if request.planned_s >= from_s)


def words(found: Sequence[Round], cluster: Cluster) -> str:
    """Return the section of the page, in French."""
    lines = [
        "Écrit par `python -m benchmarks.traffic_from_pod` : la même mise à jour naïve de la vitrine, sous "
        f"{number(RATE_PER_S)} requêtes par seconde de chaque côté à la fois, depuis cette machine par un NodePort, et "
        f"depuis le pod du trafic ; {len(found)} tours sur {cluster.provider.kind}. Horloges accordées à "
        f"{_ms(max(one.uncertainty_s for one in found))} près. Seuils : perdues à {number(LOST_BAR * 100)} % près, "
        f"percentiles à {number(LATENCY_BAR * 100)} % près.",
        "",
        "| mesure | NodePort | pod | écart | atteint |",
        "|---|---:|---:|---:|---|",
    ]
    lost = [sum(one.lost(way) for one in found) for way in WAYS]
    lines.append(_line("requêtes perdues, tous les tours", lost, LOST_BAR, number))
    for share in SHARES:
        values = [statistics.median(one.latency_s(way, share) for one in found) for way in WAYS]
        name = f"p{number(share * 100)} des bonnes réponses (médiane des tours)"
        lines.append(_line(name, values, LATENCY_BAR, _ms))
    return "\n".join(lines)


def _line(name: str, values: Sequence[float], bar: float, write: object) -> str:
    assert callable(write)
    gap = values[1] / values[0] - 1 if values[0] else 0.0
    reached = "oui" if abs(gap) <= bar else "**non**"
    sign = "+" if gap > 0 else ""
    return f"| {name} | {write(values[0])} | {write(values[1])} | {sign}{number(gap * 100, 1)} % | {reached} |"


def _ms(value_s: float) -> str:
    return f"{number(value_s * 1e3, 2)} ms"


def draw(found: Sequence[Round], path: Path) -> None:
    """Draw both ways: how long answers took, and what each round lost."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    latencies, losses = figure.subplots(1, 2)
    colours = dict(zip(WAYS, (style.BLUE, style.VERMILION), strict=True))
    for way in WAYS:
        took_ms = sorted(
            (one.answered_s - one.sent_s) * 1e3
            for round_ in found
            for one in round_.requests[way]
            if one.ok
        )
        shares = [(place + 1) / len(took_ms) * 100 for place in range(len(took_ms))]
        latencies.plot(took_ms, shares, color=colours[way], label=way)
    latencies.set(xscale="log", xlabel="durée de la réponse (ms)", ylabel="part des réponses (%)")
    latencies.legend()
    latencies.grid(alpha=0.3)
    for place, way in enumerate(WAYS):
        places = [number_ + 1 + (place - 0.5) * 0.35 for number_ in range(len(found))]
        losses.bar(places, [one.lost(way) for one in found], 0.35, color=colours[way], label=way)
    losses.set(xlabel="tour", ylabel="requêtes perdues")
    losses.set_xticks(range(1, len(found) + 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, write the section of the page and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    cluster = connect(progress=_progress.Lines())
    try:
        found = measure(cluster, options.rounds)
    finally:
        cluster.close()
    text = words(found, cluster)
    if options.figure is not None:
        draw(found, options.figure)
        text += f"\n\n![Durées des réponses et requêtes perdues, des deux côtés](images/{options.figure.name})"
    print(text)
    if options.page is not None:
        write_section(options.page, TITLE, text)


if __name__ == "__main__":
    main()
