"""Deletes the pod for real, and waits to see who brings the app back."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

from k8s_helpers._french import seconds
from k8s_helpers.exercises import Bench, Finding, replicas

MESSAGE = "Toujours debout"
BACK_S, ALONE_S = 20.0, 6.0
"""How long to wait for a pod of the same owner, and for one that nobody owns: nothing would make it again."""


def check(bench: Bench) -> Finding:
    """Return whether the app came back, and as it was."""
    objects = bench.answer["manifeste"]
    if ("Service", "vitrine") not in [(one["kind"], one["metadata"]["name"]) for one in objects]:
        return Finding(
            "incomplet", "il n’y a plus de Service nommé « vitrine » dans votre réponse."
        )
    wanted = [replicas(item) for item in objects if item["kind"] != "Service"]
    if sum(one for one in wanted if isinstance(one, int)) > 1:
        return Finding("trop", "vous demandez plus d’un exemplaire.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.wait_answers("vitrine")
    url = bench.namespace.service_url("vitrine", timeout_s=0).url
    pod = bench.namespace.list("pod")[0]["metadata"]
    victim, patience_s = pod["name"], BACK_S if pod.get("ownerReferences") else ALONE_S
    bench.progress.step(f"Suppression du pod {victim}")
    bench.namespace.delete_object("pod", victim, grace_s=0, timeout_s=bench.remaining_s)
    began_s = time.monotonic()
    while time.monotonic() - began_s < patience_s:
        if (message := _message(url)) is not None:
            return _judge(message, time.monotonic() - began_s)
        bench.pause(0.2)
    return Finding(
        "pas-revenu", f"le pod « {victim} » supprimé, plus rien pendant {seconds(patience_s)}."
    )


def _message(url: str) -> str | None:
    try:
        with urllib.request.urlopen(f"{url}/api/info", timeout=2) as answer:
            return str(json.load(answer)["message"])
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _judge(message: str, after_s: float) -> Finding:
    if message != MESSAGE:
        return Finding(
            "phrase", f"elle est revenue, mais elle dit « {message} » au lieu de « {MESSAGE} »."
        )
    return Finding(
        None, f"supprimée, elle était de retour {seconds(after_s)} plus tard, sans personne."
    )
