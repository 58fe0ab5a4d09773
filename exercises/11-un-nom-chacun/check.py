"""Asks each member for its name, from within the other one."""

from __future__ import annotations

import json

from k8s_helpers.exercises.controls import ApiRefusedError, Bench, Finding, replicas

SERVICE, MEMBERS = "membres", ("base-0", "base-1")
PORT = 8081
ASK = ("python3", "-S", "/app/main.py", "info")
ANSWER_S = 15.0
"""Longest wait for a name: the DNS may remember for some seconds that it had none."""


def check(bench: Bench) -> Finding:
    """Return whether each pod answers to its own name."""
    objects = bench.answer["manifeste"]
    sets = [item for item in objects if item["kind"] == "StatefulSet"]
    if [(item["metadata"]["name"], replicas(item)) for item in sets] != [("base", len(MEMBERS))]:
        return Finding("incomplet", "il faut un StatefulSet « base » de deux réplicas.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    for asked, asker in zip(MEMBERS, reversed(MEMBERS), strict=True):
        bench.progress.step(f"{asker} demande {asked}.{SERVICE}")
        if (problem := _problem(bench, asked, asker)) is not None:
            return problem
    return Finding(
        None,
        f"{' et '.join(f'{member}.{SERVICE}' for member in MEMBERS)} répondent, chacun pour soi.",
    )


def _problem(bench: Bench, asked: str, asker: str) -> Finding | None:
    """Return why a member cannot be called by its name, if it cannot."""
    try:
        service = bench.namespace.get("service", SERVICE)
    except ApiRefusedError:
        return Finding("sans-service", f"il n’y a pas de Service « {SERVICE} » dans le cluster.")
    if (address := service["spec"].get("clusterIP")) != "None":
        return Finding("une-adresse", f"« {SERVICE} » a une adresse à lui, {address}.")
    answered = bench.until(
        lambda: _ask(bench, asked, asker),
        ANSWER_S,
        lambda who: who == asked or not bench.chosen(SERVICE) or _named(bench) != SERVICE,
        every_s=0.3,
    )
    return None if answered == asked else _why(bench, asked, answered)


def _ask(bench: Bench, asked: str, asker: str) -> str | None:
    done = bench.namespace.exec(asker, [*ASK, f"http://{asked}.{SERVICE}:{PORT}"])
    return None if done.returncode else str(json.loads(done.stdout)["pod"])


def _named(bench: Bench) -> str:
    """Return the Service whose name the pods bear."""
    return str(bench.namespace.get("statefulset", "base")["spec"].get("serviceName", ""))


def _why(bench: Bench, asked: str, answered: str | None) -> Finding:
    text = (
        f"« {asked}.{SERVICE} » ne répond pas"
        if answered is None
        else f"c’est {answered} qui répond"
    )
    if (named := _named(bench)) != SERVICE:
        return Finding("autre-nom", f"{text} ; le StatefulSet, lui, nomme le Service « {named} ».")
    if not bench.chosen(SERVICE):
        return Finding("selecteur", f"{text} ; aucun pod n’est derrière le Service « {SERVICE} ».")
    return Finding("sans-reponse", f"{text} ; des pods sont pourtant derrière le Service.")
