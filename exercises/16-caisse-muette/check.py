"""Asks for the stock from the till's own pod, by the address that the till uses."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, container_runs, count, fetch

URL, PORT = "http://stock/api/info", 80
ANSWERS = 6
"""With two pods behind it, one that refuses would be met with a probability of 98 %."""
READ_WITHIN_S = 12.0
PODS = 2


def symptoms(bench: Bench) -> bool:
    """Return whether the stock's pods are ready and the till reads nothing."""
    return bool(
        len(bench.behind("stock")) == PODS
        and (pod := _till(bench))
        and fetch(bench.namespace, pod, URL)[0] is None
    )


def check(bench: Bench) -> Finding:
    """Return what the till reads."""
    if not bench.until(lambda: _till(bench), READ_WITHIN_S):
        return Finding("sans-caisse", "aucun pod de la caisse ne tourne.")
    bench.progress.step("La caisse lit le stock")
    if bench.until(lambda: _reads(bench), READ_WITHIN_S):
        text = f"la caisse lit le stock : {count(ANSWERS, 'réponse')} sur {ANSWERS}, par {URL}."
        return Finding(None, text)
    if not bench.chosen("stock") or not bench.behind("stock"):
        return Finding("personne", "aucun pod prêt n’est derrière le Service « stock ».")
    ports = [port["port"] for port in bench.namespace.get("service", "stock")["spec"]["ports"]]
    if PORT not in ports:
        text = f"la caisse appelle le port {PORT} du Service, qui n’offre plus que {ports[0]}."
        return Finding("autre-port", text)
    return Finding("refuse", f"la caisse ne lit toujours pas le stock : {_words(bench)}.")


def _till(bench: Bench) -> str | None:
    pods = bench.namespace.list("pod", "app=caisse")
    running = [pod["metadata"]["name"] for pod in pods if container_runs(pod)]
    return running[0] if running else None


def _reads(bench: Bench) -> bool:
    pod = _till(bench)
    return pod is not None and all(
        fetch(bench.namespace, pod, URL)[0] is not None for _ in range(ANSWERS)
    )


def _words(bench: Bench) -> str:
    pod = _till(bench)
    return fetch(bench.namespace, pod, URL)[1] if pod is not None else "elle ne tourne plus"
