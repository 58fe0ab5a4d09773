"""Asks the API server for pods and Services, one after the other, and looks at which of them it refuses."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import ApiStatusError, Bench, Finding, images

PODS = ("un", "deux")


def check(bench: Bench) -> Finding:
    """Return what is accepted and should not be, or the other way round."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1:
        return Finding("incomplet", "il faut un ResourceQuota, rien d’autre.")
    if not (objects[0].get("spec") or {}).get("hard"):
        return Finding("incomplet", "« hard » ne contient rien : ce quota ne compte rien.")
    image = images.ensure(bench.cluster, "vitrine", "v1", bench.progress)
    bench.progress.step("Mise en place de votre quota")
    bench.apply(objects)
    bench.wait_counted(objects[0]["metadata"]["name"])
    bench.progress.step("L’équipe essaie de créer ses objets")
    refusals: dict[str, str] = {}
    for item in bench.given("objets.yaml"):
        if item["kind"] == "Pod":
            item["spec"]["containers"][0]["image"] = image
        if refused := _refusal(bench, item):
            refusals[item["metadata"]["name"]] = refused
    return judge(refusals)


def judge(refusals: dict[str, str]) -> Finding:
    """Return which rule is broken, from what was refused and why."""
    for pod in PODS:
        if pod in refusals:
            return Finding("pas-assez-de-pods", f"le pod « {pod} » est refusé : {refusals[pod]}")
    if "trois" not in refusals:
        return Finding("trop-de-pods", "un troisième pod est accepté.")
    if "interne" in refusals:
        return Finding("interne", f"le Service interne est refusé : {refusals['interne']}")
    if "externe" not in refusals:
        return Finding("nodeport", "un Service de type NodePort est accepté.")
    return Finding(
        None, f"deux pods, pas trois ; un Service interne, pas de NodePort. {refusals['externe']}"
    )


def _refusal(bench: Bench, item: dict[str, Any]) -> str | None:
    try:
        bench.cluster.api.request("POST", bench.namespace.path(item["kind"].lower()), body=item)
    except ApiStatusError as error:
        return str(error.status.get("message", error.code))
    return None
