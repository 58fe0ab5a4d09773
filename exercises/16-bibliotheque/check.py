"""Containers that are never created: they ask for a key that the ConfigMap has under another name."""

from __future__ import annotations

import json
from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    ready,
    rolled_out,
    waiting_reasons,
)

NAME, CONFIGMAP = "bibliotheque", "bibliotheque"
TEXT = "Ouvert de 8 h à 20 h, silence au deuxième étage"
OWN_TEXT = "Bienvenue dans la vitrine"
"""What the program says where nobody tells it anything."""
REASON = "CreateContainerConfigError"
REQUESTS = 6


def symptoms(bench: Bench) -> bool:
    """Return whether no container could be created, and nobody answers."""
    return bool(_without_key(bench)) and not any(bench.ask(NAME))


def check(bench: Bench) -> Finding:
    """Return which text clients read, and where it comes from."""
    bench.until(lambda: _without_key(bench) or _ready(bench), bench.remaining_s / 2)
    if _without_key(bench):
        return Finding("cle", "la page de la bibliothèque ne répond pas.")
    if not _ready(bench):
        return Finding("lente", "les pods ne sont pas tous prêts.")
    answers = bench.ask(NAME, REQUESTS)
    texts = {json.loads(answer.body)["message"].strip() for answer in answers if answer}
    if not all(answers):
        return Finding("lente", f"le Service ne répond pas : {answers[-1].body[:120]}")
    if OWN_TEXT in texts or "" in texts:
        return Finding("sans-texte", f"la page s’affiche, et dit : « {OWN_TEXT} ».")
    if texts != {TEXT}:
        return Finding("autre-texte", f"la page s’affiche, et dit : « {sorted(texts)[0]} ».")
    template = bench.namespace.get("deployment", NAME)["spec"]["template"]["spec"]
    if not _asks_configmap(template):
        return Finding("en-dur", "le texte est le bon, et il ne vient plus de la ConfigMap.")
    return Finding(None, "la page affiche le texte de la ConfigMap, et la suivra.")


def _ready(bench: Bench) -> bool:
    pods = bench.current_pods(NAME)
    return rolled_out(bench.namespace.get("deployment", NAME)) and all(map(ready, pods))


def _without_key(bench: Bench) -> list[dict[str, Any]]:
    """Return the pods that the Deployment asks for now, and whose container lacks something of its configuration.

    The node looks again now and then: what was put right a moment ago may still be said to lack.
    """
    key_lacks = not _keys_exist(bench)
    return [pod for pod in bench.current_pods(NAME) if key_lacks and REASON in waiting_reasons(pod)]


def _keys_exist(bench: Bench) -> bool:
    """Return whether every key that the pod asks for by name is in its ConfigMap."""
    pod = bench.namespace.get("deployment", NAME)["spec"]["template"]["spec"]
    references = [
        variable.get("valueFrom", {}).get("configMapKeyRef")
        for container in pod["containers"]
        for variable in container.get("env", ())
    ]
    found = {item["metadata"]["name"]: item for item in bench.namespace.list("configmap")}
    return all(
        reference["key"] in (found.get(reference["name"], {}).get("data") or {})
        for reference in references
        if reference is not None
    )


def _asks_configmap(pod: dict[str, Any]) -> bool:
    """Return whether a container has something of the ConfigMap: one key, all of them, or a file."""
    return any(
        reference.get("name") == CONFIGMAP
        for container in pod["containers"]
        for reference in (
            *(
                entry.get("valueFrom", {}).get("configMapKeyRef", {})
                for entry in container.get("env", ())
            ),
            *(entry.get("configMapRef", {}) for entry in container.get("envFrom", ())),
        )
    ) or any(
        volume.get("configMap", {}).get("name") == CONFIGMAP for volume in pod.get("volumes", ())
    )
