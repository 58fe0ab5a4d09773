"""A memory limit below what the program needs: it is killed each time it fills its cache."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    container_end,
    count,
    number,
    parse_quantity,
    ready,
    rolled_out,
)

NAME, PODS, CACHE_MB = "photos", 2, 96
LARGEST_BYTES = 256 * 2**20
REQUESTS = 6


def symptoms(bench: Bench) -> bool:
    """Return whether containers were killed for their memory, and nobody answers."""
    return bool(_killed(bench)) and not any(bench.ask(NAME))


def check(bench: Bench) -> Finding:
    """Return whether the containers live with their cache, and what they could take of the node."""
    bench.until(lambda: _killed(bench) or _ready(bench), bench.remaining_s / 2)
    if _killed(bench):
        return Finding("tuee", "le site ne répond pas, ou pas longtemps.")
    if not _ready(bench):
        return Finding("lente", "les pods ne sont pas tous prêts.")
    if not all(answers := bench.ask(NAME, REQUESTS)):
        return Finding("lente", f"le Service ne répond pas : {answers[-1].body[:120]}")
    container = _template(bench)["containers"][0]
    if {"name": "CACHE_MB", "value": str(CACHE_MB)} not in container.get("env", ()):
        return Finding("cache", f"le site répond, mais son cache n’est plus de {CACHE_MB} Mio.")
    limit = container.get("resources", {}).get("limits", {}).get("memory")
    if limit is None:
        return Finding(
            "sans-limite", "le site répond, et son conteneur n’a plus de limite de mémoire."
        )
    limit_bytes = float(parse_quantity(str(limit)))
    mebibytes = f"{number(limit_bytes / 2**20)} Mio"
    if limit_bytes > LARGEST_BYTES:
        return Finding(
            "demesuree", f"le site répond, avec une limite de {mebibytes} par conteneur."
        )
    serving = sum(map(ready, bench.current_pods(NAME)))
    if serving < PODS:
        return Finding("moins", f"le site répond, par {count(serving, 'seul pod', 'pods')}.")
    return Finding(None, f"le site répond, par {serving} pods, limités à {mebibytes} chacun.")


def _template(bench: Bench) -> dict[str, Any]:
    template: dict[str, Any] = bench.namespace.get("deployment", NAME)["spec"]["template"]["spec"]
    return template


def _ready(bench: Bench) -> bool:
    return rolled_out(bench.namespace.get("deployment", NAME))


def _killed(bench: Bench) -> int:
    """Return how many containers that the Deployment asks for now were killed for their memory."""
    ends = (container_end(pod) for pod in bench.current_pods(NAME))
    return sum(end is not None and end.get("reason") == "OOMKilled" for end in ends)
