"""Calls each member by its name, writes a note, kills the pod, and reads the note again."""

from __future__ import annotations

import json
from contextlib import suppress

from k8s_helpers.exercises.controls import ApiRefusedError, Bench, Finding, ready

SERVICE, MEMBERS, PORT = "base", ("base-0", "base-1"), 8081
PROGRAM = ("python3", "-S", "/app/main.py")
NOTE = "une note de l’examinateur"
READY_S, NAME_S = 40.0, 15.0
"""Longest waits: for the pods, and for a name, which the DNS may remember for some seconds that it had not."""


def check(bench: Bench) -> Finding:
    """Return whether each member has its name and keeps its notes."""
    pods = [pod["metadata"]["name"] for pod in bench.namespace.list("pod")]
    if not pods:
        if not bench.namespace.list("statefulset"):
            return Finding("intact", "l’espace de noms n’a encore aucun pod.")
    elif not set(pods) & set(MEMBERS):
        return Finding("noms", f"vos pods s’appellent {', '.join(sorted(pods))}.")
    bench.progress.step("base-0 et base-1 doivent être prêts")
    if not bench.until(lambda: all(_ready(bench, pod) for pod in MEMBERS), READY_S):
        late = [pod for pod in MEMBERS if not _ready(bench, pod)]
        return Finding("pas-pret", f"{' et '.join(late)} : pas prêt après {READY_S:g} s.")
    if (problem := _names(bench)) is not None:
        return problem
    return _notes(bench)


def _ready(bench: Bench, pod: str) -> bool:
    with suppress(ApiRefusedError):
        return ready(bench.namespace.get("pod", pod))
    return False


def _names(bench: Bench) -> Finding | None:
    """Return why a member cannot be called by its name, if it cannot."""
    services = {item["metadata"]["name"]: item["spec"] for item in bench.namespace.list("service")}
    if SERVICE not in services:
        return Finding("sans-service", f"il n’y a pas de Service « {SERVICE} ».")
    if (address := services[SERVICE].get("clusterIP")) != "None":
        return Finding("une-adresse", f"le Service « {SERVICE} » a une adresse à lui, {address}.")
    for asked, asker in zip(MEMBERS, reversed(MEMBERS), strict=True):
        bench.progress.step(f"{asker} demande {asked}.{SERVICE}")
        who = bench.until(lambda one=asked, other=asker: _ask(bench, one, other), NAME_S)
        if who is None:
            return Finding("noms-muets", f"« {asked}.{SERVICE} » ne répond pas sur {PORT}.")
        if who != asked:
            return Finding("pod-name", f"à « {asked}.{SERVICE} », c’est « {who} » qui répond.")
    return None


def _ask(bench: Bench, asked: str, asker: str) -> str | None:
    url = f"http://{asked}.{SERVICE}:{PORT}"
    done = bench.namespace.exec(asker, [*PROGRAM, "info", url])
    return None if done.returncode else str(json.loads(done.stdout)["pod"])


def _notes(bench: Bench) -> Finding:
    """Write a note, delete its pod, and see whether the pod of that name has it; take it away again."""
    member = MEMBERS[0]
    bench.progress.step(f"Une note dans {member}, puis sa suppression")
    bench.namespace.exec(member, [*PROGRAM, "note", NOTE])
    before = bench.namespace.get("pod", member)["metadata"]["uid"]
    bench.namespace.delete_object("pod", member)

    def back() -> bool:
        with suppress(ApiRefusedError):
            pod = bench.namespace.get("pod", member)
            return pod["metadata"]["uid"] != before and ready(pod)
        return False

    if not bench.until(back, READY_S):
        return Finding("pas-pret", f"{member}, supprimé, n’est pas revenu.")
    if NOTE not in bench.namespace.exec(member, [*PROGRAM, "notes"]).stdout.splitlines():
        return Finding("perdues", f"{member} est revenu, et la note écrite chez lui a disparu.")
    return Finding(None, "chacun répond à son nom, et les notes survivent à leur pod.")
