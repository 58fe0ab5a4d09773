"""Has the API take the autoscaler, then leads a lull and a peak past it by the rules of Kubernetes' own controller.

Minutes are reckoned, not waited for: the rules are those that the measured runs are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8s_helpers.exercises.controls import Bench, Finding, count, seconds
from k8s_helpers.labs.autoscaling import LOADED_S, Autoscaler, Decision, rounds

TARGET, LOW, HIGH = 50, 1, 8
QUIET_S, MINUTE_S, MOST_PER_MINUTE, BACK_S, UP_S = 45.0, 60.0, 2, 360.0, 45.0


def check(bench: Bench) -> Finding:
    """Return how the autoscaler goes down, and up."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1:
        return Finding("autre-autoscaler", "il faut un HorizontalPodAutoscaler, rien d’autre.")
    bench.progress.step("L’API reçoit votre autoscaler")
    bench.apply(objects)
    taken = bench.namespace.get("hpa", objects[0]["metadata"]["name"])
    aims = [
        (metric.get("resource", {}).get("name"), metric.get("resource", {}).get("target", {}))
        for metric in taken["spec"]["metrics"]
    ]
    if [(name, aim.get("averageUtilization")) for name, aim in aims] != [("cpu", TARGET)]:
        return Finding("autre-autoscaler", f"la cible n’est plus {TARGET} % du processeur.")
    scaler = Autoscaler.of(taken)
    if (scaler.min_replicas, scaler.max_replicas) != (LOW, HIGH):
        return Finding("autre-autoscaler", "les bornes ont changé.")
    bench.progress.step("Un creux et une pointe, joués contre lui")
    return judge(rounds(HIGH, TARGET, scaler, later_percent=2), rounds(LOW, 400, scaler))


def judge(lull: Sequence[Decision], peak: Sequence[Decision]) -> Finding:
    """Return which limit was broken, if one was."""
    removed = [(look.at_s - LOADED_S, look.current - look.desired) for look in lull]
    removed = [(at_s, gone) for at_s, gone in removed if gone > 0]
    if removed and removed[0][0] < QUIET_S:
        early = f"les premiers pods partent {seconds(removed[0][0])} après le début du creux."
        return Finding("trop-tot", early)
    most = max(
        (
            sum(gone for at_s, gone in removed if begin_s <= at_s < begin_s + MINUTE_S)
            for begin_s, _ in removed
        ),
        default=0,
    )
    if most > MOST_PER_MINUTE:
        return Finding("trop-brutal", f"{count(most, 'pod')} retirés en une minute.")
    left = next((look.desired for look in reversed(lull) if look.at_s - LOADED_S <= BACK_S), HIGH)
    if left > LOW:
        return Finding(
            "trop-lent", f"il reste {count(left, 'pod')} six minutes après le début du creux."
        )
    up_s = next((look.at_s for look in peak if look.desired == HIGH), None)
    if up_s is None or up_s > UP_S:
        when = "jamais" if up_s is None else f"{seconds(up_s)} après"
        return Finding("montee-freinee", f"la pointe arrive, et les huit pods {when}.")
    kept = f"rien pendant {seconds(removed[0][0])}, puis {count(most, 'pod')} par minute au plus."
    return Finding(None, kept + f" La montée, elle, ne prend que {seconds(up_s)}.")
