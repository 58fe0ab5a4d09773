"""Asks each running program for its password, then looks for it in all that is no Secret."""

from __future__ import annotations

import base64
import json
from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, count, ready, rolled_out, waiting_reasons

NAME, SECRET, KEY, PODS = "caisse", "acces", "mot-de-passe", 2
OLD, NEW = "abricot-2025", "mirabelle-4821"
ENCODED = base64.b64encode(NEW.encode()).decode()
READABLE = ("deployment", "pod", "configmap")
SETTLED_S = 20.0
REFUSED = "CreateContainerConfigError"


def symptoms(bench: Bench) -> bool:
    """Return whether both programs have the old password."""
    return _passwords(bench) == [OLD] * PODS


def check(bench: Bench) -> Finding:
    """Return which programs have the new password, and who else could read it."""
    bench.until(lambda: _delivered(bench) or _refused(bench), SETTLED_S)
    if pods := _refused(bench):
        return Finding("bloque", f"{pods[0]} ne démarre pas ({REFUSED}).")
    if not _delivered(bench):
        return Finding("bloque", "la livraison n’est pas finie : un pod n’est pas prêt.")
    found = _passwords(bench)
    if (finding := _of_programs(bench, found)) is not None:
        return finding
    for kind in READABLE:
        for item in bench.namespace.list(kind):
            if NEW in json.dumps(item):
                return Finding("clair", f"il se lit dans {kind}/{item['metadata']['name']}.")
    if len(found) < PODS:
        return Finding("moins", f"il reste {count(len(found), 'pod')} sur {PODS}.")
    return Finding(
        None, f"{count(len(found), 'programme')} sur {PODS} ont le nouveau mot de passe."
    )


def _of_programs(bench: Bench, found: list[str]) -> Finding | None:
    """Return what is wrong with the values that the programs have; None where all are the new one."""
    if not found:
        return Finding("moins", "la caisse n’a plus de pod prêt.")
    late = [value for value in found if value != NEW]
    if not late:
        return None
    if late[0] == ENCODED:
        return Finding("encode", "les programmes ont reçu « …== », du base64.")
    if late[0] != OLD:
        return Finding("valeur", f"un programme a « {late[0][:40]} ».")
    said = f"{count(len(late), 'programme')} sur {len(found)} ont l’ancien mot de passe"
    kept = base64.b64decode(bench.namespace.get("secret", SECRET).get("data", {}).get(KEY, ""))
    if kept.decode(errors="replace") == OLD:
        return Finding("intact", f"{said}, et le Secret aussi.")
    return Finding("pas-relu", f"le Secret est changé, mais {said}.")


def _delivered(bench: Bench) -> bool:
    return rolled_out(bench.namespace.get("deployment", NAME)) and all(
        "deletionTimestamp" not in pod["metadata"] for pod in _pods(bench)
    )


def _pods(bench: Bench) -> list[dict[str, Any]]:
    return bench.namespace.list("pod", f"app={NAME}")


def _refused(bench: Bench) -> list[str]:
    """Return the pods whose configuration cannot be made."""
    return [
        pod["metadata"]["name"]
        for pod in _pods(bench)
        if "deletionTimestamp" not in pod["metadata"] and REFUSED in waiting_reasons(pod)
    ]


def _passwords(bench: Bench) -> list[str]:
    """Return what each program that is ready has in its environment."""
    names = [pod["metadata"]["name"] for pod in _pods(bench) if ready(pod)]
    said = (bench.namespace.exec(name, ["printenv", "MOT_DE_PASSE"]).stdout for name in names)
    return [value.strip() for value in said]
