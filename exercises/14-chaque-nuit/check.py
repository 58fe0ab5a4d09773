"""Runs the CronJob's work at once, as `kubectl create job --from` does, and reads when it would run by itself."""

from __future__ import annotations

import time
from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, seconds

SHOP, NAME, TRIAL = "boutique", "rapport", "essai-du-controle"
SAID = "La boutique est ouverte"
ENDLESS_S = 10.0
"""A program that asks a question and prints the answer has ended long before."""


def symptoms(bench: Bench) -> bool:
    """Return whether the shop is open and nobody reports on it."""
    return all(bench.ask(SHOP)) and not bench.namespace.list("cronjob")


def check(bench: Bench) -> Finding:
    """Return whether the report comes each night at two, and what it says."""
    crons = [item for item in bench.namespace.list("cronjob") if item["metadata"]["name"] == NAME]
    if not crons:
        return Finding("absent", "il n’y a pas de CronJob nommé « rapport ».")
    (cron,) = crons
    schedule = str(cron["spec"]["schedule"])
    if not at_two(schedule):
        return Finding(
            "horaire", f"l’horaire « {schedule} » n’est pas « chaque nuit, à 2 heures »."
        )
    bench.namespace.apply(job(cron))
    try:
        return judge(bench)
    finally:
        for pod in bench.namespace.list("pod", f"job-name={TRIAL}"):
            bench.namespace.delete_object("pod", pod["metadata"]["name"], grace_s=0)
        bench.namespace.delete_object("job", TRIAL)


def at_two(schedule: str) -> bool:
    """Return whether a schedule says two o'clock sharp, each day."""
    fields = schedule.split()
    if len(fields) != 5 or any(field not in ("*", "*/1") for field in fields[2:]):
        return False
    minute, hour = fields[:2]
    return minute in ("0", "00") and hour in ("2", "02")


def job(cron: dict[str, Any]) -> dict[str, Any]:
    """Return a Job of a CronJob's template, to run now; it tries once."""
    spec = dict(cron["spec"]["jobTemplate"]["spec"]) | {"backoffLimit": 0}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": TRIAL},
        "spec": spec,
    }


def judge(bench: Bench) -> Finding:
    """Return what came of the Job that was made."""
    bench.progress.step("Votre rapport, tout de suite")
    began_s = time.monotonic()

    def over() -> str:
        status = bench.namespace.get("job", TRIAL).get("status", {})
        kinds = {item["type"] for item in status.get("conditions", ()) if item["status"] == "True"}
        failed = "Failed" in kinds or status.get("failed")
        return "failed" if failed else "complete" if "Complete" in kinds else ""

    end = bench.until(over, ENDLESS_S)
    if not end:
        return Finding(
            "sans-fin", f"lancé tout de suite, il tourne encore {seconds(ENDLESS_S)} après."
        )
    if end == "failed":
        return Finding("echec", "lancé tout de suite, son programme finit par une erreur.")
    pods = bench.namespace.list("pod", f"job-name={TRIAL}")
    said = "".join(bench.namespace.logs(pod["metadata"]["name"]) for pod in pods)
    if SAID not in said:
        return Finding("muet", "il finit bien, mais son journal ne dit rien de la boutique.")
    lasted = seconds(time.monotonic() - began_s)
    return Finding(
        None, f"lancé tout de suite, le rapport est prêt en {lasted} ; le prochain, à 2 heures."
    )
