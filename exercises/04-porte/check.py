"""Calls the Service by its name from inside the cluster, as its clients do."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, fetch

ANSWERS_S = 6.0


def check(bench: Bench) -> Finding:
    """Return whether http://boutique/ answers inside the cluster."""
    (service, *_) = [
        item for item in bench.answer["service"] if item["metadata"]["name"] == "boutique"
    ] or [{}]
    if not service:
        return Finding("nom", "aucun des Services que vous donnez ne s’appelle « boutique ».")
    bench.progress.step("La boutique démarre")
    bench.apply(bench.given("avant.yaml"))
    bench.apply(bench.answer["service"])
    bench.wait_settled()
    pod = bench.namespace.list("pod")[0]["metadata"]["name"]
    bench.progress.step("Un client, dans le cluster, appelle http://boutique/")
    version, detail = bench.until(
        lambda: fetch(bench.namespace, pod, "http://boutique/api/info"),
        ANSWERS_S,
        lambda text: text[0] is not None,
        every_s=1.0,
    )
    if version is not None:
        return Finding(None, f"http://boutique/ répond : c’est le pod {detail}.")
    return _why_not(bench, detail)


def _why_not(bench: Bench, detail: str) -> Finding:
    spec = bench.namespace.get("service", "boutique")["spec"]
    text = f"http://boutique/ ne répond pas ({detail})"
    if spec.get("selector") != {"app": "boutique"}:
        return Finding("selecteur", f"{text}, et le sélecteur a changé.")
    ports = [port["port"] for port in spec["ports"]]
    if 80 not in ports:
        return Finding(
            "autre-porte", f"{text} ; le Service écoute sur {', '.join(map(str, ports))}."
        )
    target = next(port["targetPort"] for port in spec["ports"] if port["port"] == 80)
    if isinstance(target, str):
        return Finding("sans-nom", f"{text} ; aucun port du conteneur ne s’appelle « {target} ».")
    return Finding("porte-close", f"{text} ; le Service vise le port {target} du pod.")
