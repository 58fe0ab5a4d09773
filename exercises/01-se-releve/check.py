"""Deletes the pod for real, and waits to see who brings the app back."""

from __future__ import annotations

import time

from k8s_helpers.exercises.controls import Bench, Finding, get, replicas, seconds

MESSAGE = "Toujours debout"
BACK_S, ALONE_S = 20.0, 6.0
"""How long to wait for a pod of the same owner, and for one that nobody owns: nothing would make it again."""


def check(bench: Bench) -> Finding:
    """Return whether the app came back, and as it was."""
    objects = bench.answer["manifeste"]
    if ("Service", "vitrine") not in [(item["kind"], item["metadata"]["name"]) for item in objects]:
        return Finding(
            "incomplet", "il n’y a plus de Service nommé « vitrine » dans votre réponse."
        )
    wanted = [replicas(item) for item in objects if item["kind"] != "Service"]
    if sum(entry for entry in wanted if isinstance(entry, int)) > 1:
        return Finding("trop", "vous demandez plus d’un exemplaire.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.wait_answers("vitrine")
    address = bench.namespace.service_url("vitrine", timeout_s=0)
    pod = bench.namespace.list("pod")[0]["metadata"]
    victim, patience_s = pod["name"], BACK_S if pod.get("ownerReferences") else ALONE_S
    bench.progress.step(f"Suppression du pod {victim}")
    bench.namespace.delete_object("pod", victim, grace_s=0, timeout_s=bench.remaining_s)
    began_s = time.monotonic()
    # A deleted pod's program may answer a moment longer than its object lives: somebody must have made another.
    answer = bench.until(
        lambda: bench.namespace.list("pod") and get(address, "/api/info", timeout_s=2.0), patience_s
    )
    if not answer:
        text = f"le pod « {victim} » supprimé, plus rien pendant {seconds(patience_s)}."
        return Finding("pas-revenu", text)
    return _judge(str(answer.json()["message"]), time.monotonic() - began_s)


def _judge(message: str, after_s: float) -> Finding:
    if message != MESSAGE:
        return Finding(
            "phrase", f"elle est revenue, mais elle dit « {message} » au lieu de « {MESSAGE} »."
        )
    return Finding(
        None, f"supprimée, elle était de retour {seconds(after_s)} plus tard, sans personne."
    )
