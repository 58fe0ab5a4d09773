"""Takes the reviews away for a while, then one pod of the shop: who is still served, and by whom."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    container_end,
    container_runs,
    count,
    in_pod,
    ready,
)

SERVED_WITHIN_S = 15.0
ROLLED_OUT_WITHIN_S = 40.0
AVIS_NOTICED_WITHIN_S = 12.0
"""The reviews' own probe is as it was given."""

LONGEST_PROBE_S = 35.0
"""A probe of ten seconds and three failures, Kubernetes' defaults, is as good as any."""


def symptoms(bench: Bench) -> bool:
    """Return whether the shop's pods run, none is behind its Service, and the reviews have failed."""
    running = len(_pods(bench, "boutique", container_runs)) == 2
    failed = any(map(container_end, bench.namespace.list("pod", "app=avis")))
    return running and failed and not bench.behind("boutique")


def check(bench: Bench) -> Finding:
    """Return who is served without the reviews, and without one of the shop's pods."""
    bench.progress.step("La boutique, telle qu’elle est")
    if not bench.until(lambda: bench.behind("boutique"), SERVED_WITHIN_S):
        if not _pods(bench, "boutique", container_runs):
            return Finding("arretee", "aucun pod de la boutique ne tourne.")
        text = "aucun pod de la boutique n’est prêt : son Service n’a personne à qui envoyer les clients."
        return Finding("coupee", text)
    bench.until(lambda: _rolled_out(bench), ROLLED_OUT_WITHIN_S)
    before = bench.behind("boutique")
    probes = _probes(bench)
    noticed_s = _noticed_within_s(probes)
    watched_s = noticed_s if any(map(_asks_others, probes)) else AVIS_NOTICED_WITHIN_S
    bench.progress.step(
        f"Les avis s’arrêtent : {watched_s:.0f} s pour voir si la boutique en souffre"
    )
    with _away(bench, _pods(bench, "avis", ready)):
        bench.until(lambda: not bench.behind("avis"), AVIS_NOTICED_WITHIN_S)
        if bench.until(lambda: not bench.behind("boutique"), watched_s):
            text = "la boutique répond, mais dès que les avis s’arrêtent, plus aucun de ses pods n’est prêt."
            return Finding("dependante", text)
    (victim, *_) = sorted(before)
    bench.progress.step(
        f"Un pod de la boutique n’est plus prêt : sa sonde a {noticed_s:.0f} s pour le voir"
    )
    with _away(bench, [victim]):
        if not bench.until(lambda: victim not in bench.behind("boutique"), noticed_s):
            text = "sans les avis, la boutique répond ; mais un pod qui se dit « pas prêt » reçoit encore des clients."
            return Finding("sans-sonde", text)
    bench.until(lambda: bench.behind("boutique") >= before, noticed_s)
    served = count(len(before), "pod")
    return Finding(
        None,
        f"sans les avis, la boutique répond sur {served}, et un pod pas prêt est mis de côté.",
    )


def _rolled_out(bench: Bench) -> bool:
    """Return whether the pods asked for now, all of them and no others, are behind the Service."""
    wanted = bench.namespace.get("deployment", "boutique")["spec"]["replicas"]
    names = {pod["metadata"]["name"] for pod in bench.current_pods("boutique")}
    return len(names) == wanted and bench.behind("boutique") == names


def _probes(bench: Bench) -> list[dict[str, Any]]:
    spec = bench.namespace.get("deployment", "boutique")["spec"]["template"]["spec"]
    return [item.get("readinessProbe") or {} for item in spec["containers"]]


def _noticed_within_s(probes: Sequence[dict[str, Any]]) -> float:
    """Return how long readiness probes may take to see a change."""
    longest_s = max(
        probe.get("periodSeconds", 0) * (probe.get("failureThreshold", 0) + 1)
        + probe.get("timeoutSeconds", 0)
        for probe in probes
    )
    return float(min(longest_s + 2, LONGEST_PROBE_S))


def _asks_others(probe: dict[str, Any]) -> bool:
    """Return whether a probe may look at more than its own pod."""
    return "exec" in probe or any(
        probe.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket")
    )


@contextlib.contextmanager
def _away(bench: Bench, pods: Sequence[str]) -> Iterator[None]:
    """Have the programs of some pods say that they are not ready, while a block runs."""
    for pod in pods:
        in_pod.post(bench.namespace, pod, "/admin/ready/off")
    try:
        yield
    finally:
        for pod in pods:
            in_pod.post(bench.namespace, pod, "/admin/ready/on")


def _pods(bench: Bench, app: str, which: Callable[[dict[str, Any]], object]) -> list[str]:
    pods = bench.namespace.list("pod", f"app={app}")
    return [pod["metadata"]["name"] for pod in pods if which(pod)]
