"""Asks the application what it says, and looks where it has it from."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, containers

ANSWERS_S = 20.0
WANTED = {"deployment": "Deployment", "service": "Service"}


def check(bench: Bench) -> Finding:
    """Return what is not as the statement says first."""
    name, phrase = bench.values["nom"], bench.values["phrase"]
    lacking = [
        f"{word} « {name} »" for kind, word in WANTED.items() if name not in _names(bench, kind)
    ]
    if "reglages" not in _names(bench, "configmap"):
        lacking.append("ConfigMap « reglages »")
    if lacking:
        return Finding("absent", f"il manque : {', '.join(lacking)}.")
    if not bench.until(lambda: all(bench.ask(name)), ANSWERS_S):
        return Finding("muet", f"le Service « {name} » ne répond pas.")
    said = bench.until(lambda: _said(bench, name), 6.0, lambda text: text == phrase)
    if said != phrase:
        return Finding("phrase", f"la vitrine dit « {said} », l’énoncé « {phrase} ».")
    template = bench.namespace.get("deployment", name)["spec"]["template"]["spec"]
    (first, *_) = containers({"kind": "Pod", "spec": template})
    literal = [
        item for item in first.get("env") or () if item["name"] == "MESSAGE" and "value" in item
    ]
    if literal:
        return Finding("en-dur", "la phrase est écrite dans le Deployment.")
    return Finding(None, f"la vitrine dit « {phrase} », qu’elle lit dans le ConfigMap.")


def _names(bench: Bench, kind: str) -> list[str]:
    return [item["metadata"]["name"] for item in bench.namespace.list(kind)]


def _said(bench: Bench, name: str) -> str:
    (answer,) = bench.ask(name)
    return str(answer.json()["message"]) if answer else ""
