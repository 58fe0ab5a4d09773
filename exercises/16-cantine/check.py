"""A liveness probe that is quicker than the start of its program: it restarts it for ever."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, container_statuses, rolled_out, seconds

NAME = "cantine"
STARTUP = {"name": "STARTUP_SECONDS", "value": "8"}
LONGEST_S = 60.0
PERIOD_S, FAILURES, TIMEOUT_S = 10, 3, 1
"""What a probe has where nothing is written.

Source: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""


def symptoms(bench: Bench) -> bool:
    """Return whether the container was restarted already, and nobody answers."""
    return bool(_restarts(bench)) and not any(bench.ask(NAME))


def check(bench: Bench) -> Finding:
    """Return whether the program gets to its end of start, and who would notice if it hung."""
    bench.until(lambda: _restarts(bench) or _ready(bench), 2 * bench.remaining_s / 3)
    if _restarts(bench):
        return Finding("tue", "le menu ne répond toujours pas.")
    if not _ready(bench):
        return Finding("lente", "le pod n’est pas prêt.")
    container = _container(bench)
    if STARTUP not in container.get("env", ()):
        return Finding("programme", "le site répond, mais les variables du programme ont changé.")
    probe = container.get("livenessProbe")
    if probe is None:
        return Finding(
            "sans-controle", "le site répond, et plus rien ne le redémarrerait s’il se bloquait."
        )
    notice_s = probe.get("periodSeconds", PERIOD_S) * probe.get("failureThreshold", FAILURES)
    if notice_s > LONGEST_S:
        return Finding(
            "trop-patiente",
            f"le site répond ; s’il se bloquait, il ne serait redémarré qu’après {seconds(notice_s)}.",
        )
    answers = bench.ask(NAME, 3)
    if not all(answers):
        return Finding(
            "lente", f"le pod est prêt, et le Service ne répond pas : {answers[-1].body[:120]}"
        )
    return Finding(
        None, f"le menu répond, sans redémarrage ; un blocage serait vu en {seconds(notice_s)}."
    )


def _ready(bench: Bench) -> bool:
    return rolled_out(bench.namespace.get("deployment", NAME))


def _restarts(bench: Bench) -> int:
    """Return how often the containers were restarted that the Deployment asks for now."""
    statuses = [status for pod in bench.current_pods(NAME) for status in container_statuses(pod)]
    return sum(status["restartCount"] for status in statuses)


def _container(bench: Bench) -> dict[str, Any]:
    pod = bench.namespace.get("deployment", NAME)["spec"]["template"]["spec"]
    container: dict[str, Any] = pod["containers"][0]
    return container
