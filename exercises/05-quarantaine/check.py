"""Changes the sick pod's metadata under traffic, and looks at who answers, who is replaced, and who lives on."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, Run, count, failed

SICK, RATE_PER_S = "malade", 40.0
REPLACED_S = 20.0
"""How long another pod gets to take the place of the one that left."""
AFTER_S = 3.0
"""Nodes learn of a change of endpoints within about a second."""


def check(bench: Bench) -> Finding:
    """Return whether the sick pod is out of every Service, replaced, and alive."""
    (item, *others) = bench.answer["changement"]
    if others or item["metadata"]["name"] != SICK:
        return Finding(
            "pas-lui", f"votre réponse ne parle pas du pod « {SICK} », ou pas seulement."
        )
    bench.progress.step("La boutique démarre, avec son pod malade")
    before = bench.given("avant.yaml")
    # The sick pod first: a ReplicaSet that sees no pod yet makes three, adopts a fourth, and deletes one of them.
    bench.apply(tuple(item for item in before if item["kind"] == "Pod"))
    for name in (SICK, "blog"):
        bench.namespace.wait("pod", name, "Ready", bench.remaining_s)
    bench.apply(tuple(item for item in before if item["kind"] != "Pod"))
    bench.namespace.wait(
        "replicaset",
        "boutique",
        lambda entry: entry["status"].get("readyReplicas") == 3,
        bench.remaining_s,
    )
    bench.wait_answers("boutique")
    uid = bench.namespace.get("pod", SICK)["metadata"]["uid"]
    change = {name: item["metadata"].get(name) or {} for name in ("labels", "annotations")}
    with bench.observe("boutique", RATE_PER_S) as seen:
        bench.progress.step("Votre changement, sous trafic")
        seen.mark("label")
        bench.namespace.patch("pod", SICK, {"metadata": change})
        replaced = _wait_replaced(bench)
        bench.pause(AFTER_S)
        seen.mark("complete")
        state = _state(bench, uid)
    return judge(seen.run(), change, replaced, state)


def _wait_replaced(bench: Bench) -> bool:
    """Return whether three pods but the sick one get ready behind the Service; at once, where it is still chosen."""

    def look() -> bool | None:
        if SICK in bench.chosen("boutique"):
            return False
        behind = bench.behind("boutique")
        return True if SICK not in behind and len(behind) == 3 else None

    return bool(bench.until(look, REPLACED_S, lambda seen: seen is not None))


def _state(bench: Bench, uid: str) -> dict[str, bool]:
    pods = {pod["metadata"]["name"]: pod for pod in bench.namespace.list("pod")}
    sick = pods.get(SICK, {"metadata": {}, "status": {}})
    alive = sick["metadata"].get("uid") == uid and sick["status"].get("phase") == "Running"
    return {"alive": alive, "elsewhere": SICK in bench.behind("blog")}


def judge(run: Run, change: dict[str, Any], replaced: bool, state: dict[str, bool]) -> Finding:
    """Return what is wrong first."""
    complete = run.mark("complete")
    assert complete is not None
    late = [request for request in run.requests if request.planned_s >= complete.at_s]
    still = sum(request.pod == SICK for request in late)
    lost = len(failed(run.requests))
    if not state["alive"]:
        return Finding("arrete", f"le pod « {SICK} » ne tourne plus.")
    if state["elsewhere"]:
        return Finding(
            "ailleurs", f"le pod « {SICK} » est maintenant derrière le Service « blog »."
        )
    if still:
        text = f"après le changement, « {SICK} » répond encore à {count(still, 'requête')} sur {len(late)}"
        only_noted = change["annotations"] and not change["labels"]
        return Finding("annotation" if only_noted else "toujours-la", f"{text}.")
    if not replaced:
        return Finding("bloque", "personne n’a remplacé le pod malade.")
    if lost:
        return Finding("perdues", f"{count(lost, 'requête perdue', 'requêtes perdues')}.")
    text = f"« {SICK} » tourne encore, hors de tout Service ; un autre le remplace"
    return Finding(None, f"{text} ; aucune requête perdue sur {len(run.requests)}.")
