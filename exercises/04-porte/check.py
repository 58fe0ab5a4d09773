"""Calls the Service by its name from inside the cluster, as its clients do."""

from __future__ import annotations

from k8s_helpers.exercises import Bench, Finding
from k8s_helpers.experiments.in_pod import fetch

ANSWERS_S = 6.0


def check(bench: Bench) -> Finding:
    """Return whether http://boutique/ answers inside the cluster."""
    (service, *_) = [
        one for one in bench.answer["service"] if one["metadata"]["name"] == "boutique"
    ] or [{}]
    if not service:
        return Finding("nom", "aucun des Services que vous donnez ne s’appelle « boutique ».")
    bench.progress.step("La boutique démarre")
    bench.apply(bench.given("avant.yaml"))
    bench.apply(bench.answer["service"])
    bench.wait_settled()
    pod = bench.namespace.list("pod")[0]["metadata"]["name"]
    bench.progress.step("Un client, dans le cluster, appelle http://boutique/")
    detail = ""
    for _ in range(int(ANSWERS_S)):
        version, detail = fetch(bench.namespace, pod, "http://boutique/api/info")
        if version is not None:
            return Finding(None, f"http://boutique/ répond : c’est le pod {detail}.")
        bench.pause(1.0)
    return _why_not(bench, detail)


def _why_not(bench: Bench, detail: str) -> Finding:
    spec = bench.namespace.get("service", "boutique")["spec"]
    told = f"http://boutique/ ne répond pas ({detail})"
    if spec.get("selector") != {"app": "boutique"}:
        return Finding("selecteur", f"{told}, et le sélecteur a changé.")
    ports = [one["port"] for one in spec["ports"]]
    if 80 not in ports:
        return Finding(
            "autre-porte", f"{told} ; le Service écoute sur {', '.join(map(str, ports))}."
        )
    target = next(one["targetPort"] for one in spec["ports"] if one["port"] == 80)
    if isinstance(target, str):
        return Finding("sans-nom", f"{told} ; aucun port du conteneur ne s’appelle « {target} ».")
    return Finding("porte-close", f"{told} ; le Service frappe au port {target} du pod.")
