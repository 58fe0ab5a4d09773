"""Looks at which version runs, on how many pods, and whether the next update would have room in the quota."""

from __future__ import annotations

import math
from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, container_statuses, parse_quantity, ready

PODS, QUOTA, MEMORY = 3, "equipe", "200Mi"
ARRIVES_WITHIN_S = 15.0


def set_up(bench: Bench) -> None:
    """Have version 1 run before version 2 is delivered."""
    bench.apply(bench.given("given/1-quota.yaml"))
    bench.wait_counted(QUOTA)
    bench.apply(bench.given("given/2-boutique.yaml"))
    bench.wait_settled()
    bench.apply(bench.given("given/3-livraison.yaml"))


def symptoms(bench: Bench) -> bool:
    """Return whether version 1 serves and version 2 has no pod, for lack of quota."""
    refused = any(
        "exceeded quota" in event.get("message", "") for event in bench.namespace.events()
    )
    return refused and len(_ready(bench, "v1")) == PODS and not _ready(bench, "v2")


def check(bench: Bench) -> Finding:
    """Return which version is served."""
    quota = bench.until(lambda: _memory(bench) is not None, 1.0) and _memory(bench)
    if not quota or parse_quantity(quota) != parse_quantity(MEMORY):
        return Finding(
            "quota-change", f"le quota de mémoire est {quota or 'supprimé'} : il était de {MEMORY}."
        )
    bench.progress.step("Qui sert la boutique ?")
    arrived = bench.until(lambda: _settled(bench), ARRIVES_WITHIN_S)
    deployment = bench.namespace.get("deployment", "boutique")
    wanted = deployment["spec"]["replicas"]
    if wanted < PODS:
        return Finding("moins-de-pods", f"la boutique tourne sur {wanted} pods, au lieu de {PODS}.")
    if bench.tag(_image(deployment["spec"]["template"])).endswith(":v1"):
        return Finding("ancienne-version", "le Deployment demande de nouveau la version 1.")
    if not arrived:
        old = len(_ready(bench, "v1"))
        if old:
            return Finding(
                "toujours-v1",
                f"la version 1 sert encore, sur {old} pods ; la version 2 n’est pas arrivée.",
            )
        return Finding("pas-prets", "la version 2 est là, mais ses pods ne sont pas tous prêts.")
    if not _has_room(deployment):
        text = "la version 2 est là, mais la prochaine livraison voudra de nouveau un pod de trop pour le quota."
        return Finding("prochaine-fois", text)
    return Finding(
        None,
        f"la version 2 sert sur {wanted} pods, dans le quota, et la prochaine livraison y tiendra.",
    )


def _settled(bench: Bench) -> bool:
    """Return whether nothing but version 2 runs."""
    pods = bench.namespace.list("pod", "app=boutique")
    wanted = bench.namespace.get("deployment", "boutique")["spec"]["replicas"]
    return len(pods) == wanted == len(_ready(bench, "v2"))


def _ready(bench: Bench, version: str) -> list[dict[str, Any]]:
    pods = bench.namespace.list("pod", "app=boutique")
    return [
        pod
        for pod in pods
        if ready(pod) and container_statuses(pod) and bench.tag(_image(pod)).endswith(f":{version}")
    ]


def _image(item: dict[str, Any]) -> str:
    return str(item["spec"]["containers"][0]["image"])


def _memory(bench: Bench) -> str | None:
    for quota in bench.namespace.list("quota"):
        if quota["metadata"]["name"] == QUOTA:
            return str(quota["spec"]["hard"].get("requests.memory"))
    return None


def _has_room(deployment: dict[str, Any]) -> bool:
    """Return whether an update can begin: by stopping a pod first, or by one more within the quota."""
    spec = deployment["spec"]
    if spec["strategy"]["type"] == "Recreate":
        return True
    rolling = spec["strategy"]["rollingUpdate"]
    surge = _share(rolling["maxSurge"], spec["replicas"], math.ceil)
    if _share(rolling["maxUnavailable"], spec["replicas"], math.floor) or not surge:
        return True
    resources = spec["template"]["spec"]["containers"][0].get("resources") or {}
    memory = parse_quantity((resources.get("requests") or {}).get("memory", "0"))
    return (spec["replicas"] + 1) * memory <= parse_quantity(MEMORY)


def _share(value: int | str, replicas: int, rounded: Any) -> int:
    """Return a number of pods that a Deployment's strategy writes as a number or as a percentage."""
    if isinstance(value, int):
        return value
    return int(rounded(replicas * float(value.rstrip("%")) / 100))
