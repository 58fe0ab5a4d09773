"""Reads the dashboard's own log, then tries with its account what must not be allowed."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, container_runs

ACCOUNT, APP = "tableau", "tableau"
SEEN_WITHIN_S = 20.0
"""The program looks each other second; a change of rights is followed within one."""
FORBIDDEN = (
    ("list", "", "secrets", "lire les Secrets"),
    ("list", "", "configmaps", "lire les ConfigMaps"),
    ("delete", "", "pods", "supprimer des pods"),
    ("create", "", "pods", "créer des pods"),
    ("patch", "apps", "deployments", "modifier des Deployments"),
)


def symptoms(bench: Bench) -> bool:
    """Return whether the dashboard runs and is refused the pods."""
    return "forbidden" in _last_words(bench)


def check(bench: Bench) -> Finding:
    """Return what the dashboard sees, and what it could do besides."""
    bench.progress.step("Que voit le tableau de bord ?")
    sees = bench.until(lambda: _last_words(bench).startswith("pods :"), SEEN_WITHIN_S)
    spec = bench.namespace.get("deployment", "tableau")["spec"]["template"]["spec"]
    if (account := spec.get("serviceAccountName", "default")) != ACCOUNT:
        return Finding("autre-compte", f"le tableau de bord tourne avec le compte « {account} ».")
    if not sees:
        words = _last_words(bench)
        if not words:
            return Finding("arrete", "le tableau de bord ne tourne plus, ou n’écrit rien.")
        return Finding("aveugle", f"le journal du tableau de bord dit encore : « {words} ».")
    bench.progress.step("Ce que l’auditeur essaiera")
    if more := [
        words
        for verb, group, kind, words in FORBIDDEN
        if bench.may(ACCOUNT, verb, kind, group=group)
    ]:
        return Finding("trop", f"le tableau voit les pods, mais il peut aussi {', '.join(more)}.")
    return Finding(
        None, f"le journal dit « {_last_words(bench)} », et le compte ne peut rien d’autre."
    )


def _last_words(bench: Bench) -> str:
    """Return the last line that the dashboard wrote; empty where it does not run or has written nothing."""
    pods = bench.namespace.list("pod", f"app={APP}")
    running = [
        pod["metadata"]["name"]
        for pod in pods
        if container_runs(pod) and "deletionTimestamp" not in pod["metadata"]
    ]
    lines = bench.namespace.logs(running[0]).splitlines() if running else []
    return lines[-1] if lines else ""
