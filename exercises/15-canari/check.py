"""Deploys the student's two tracks behind one Service, sends traffic, and counts who answers."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, Run, count, failed, number, replicas

MOST_PODS, SHARE, TOLERANCE = 4, 0.25, 0.08
RATE_PER_S, DURING_S = 100.0, 2.0


def check(bench: Bench) -> Finding:
    """Return the share of the requests that the canary got."""
    objects = bench.answer["manifeste"]
    asked = [replicas(item) for item in objects]
    wanted = sum(entry for entry in asked if isinstance(entry, int))
    if wanted > MOST_PODS:
        return Finding(
            "trop-de-pods", f"vous demandez {count(wanted, 'pod')}, et {MOST_PODS} suffisent."
        )
    bench.progress.step("Déploiement de vos deux pistes")
    bench.apply(bench.given("service.yaml"))
    bench.apply(objects)
    bench.wait_settled()
    bench.wait_answers("vitrine")
    bench.progress.step("Trafic")
    with bench.observe("vitrine", RATE_PER_S) as seen:
        bench.pause(DURING_S)
    return judge(seen.run(), _pods(bench))


def _pods(bench: Bench) -> tuple[int, int]:
    """Return how many pods of version 2 are behind the Service, and how many in all."""
    behind = bench.behind("vitrine")
    images = [
        pod["spec"]["containers"][0]["image"]
        for pod in bench.namespace.list("pod")
        if pod["metadata"]["name"] in behind
    ]
    return sum(image.endswith(":v2") for image in images), len(images)


def judge(run: Run, pods: tuple[int, int]) -> Finding:
    """Return whether the share is a quarter: as measured, chance aside, and by the pods, which chance does not move."""
    good = [request for request in run.requests if request.ok]
    share = sum(item.version == "v2" for item in good) / max(len(good), 1)
    text = f"la version 2 a répondu à {number(100 * share)} % de {count(len(good), 'requête')}"
    if lost := len(failed(run.requests)):
        return Finding("perdues", f"{text}, et {count(lost, 'requête')} se sont perdues.")
    if share == 0.0:
        return Finding("invisible", f"{text}.")
    if abs(share - SHARE) > TOLERANCE or pods[0] != SHARE * pods[1]:
        of = f"{count(pods[0], 'pod')} sur {pods[1]}"
        return Finding("part", f"{text}, avec {of} derrière le Service ; il en fallait un quart.")
    return Finding(None, f"{text}, soit un quart, au hasard près.")
