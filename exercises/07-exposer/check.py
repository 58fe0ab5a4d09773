"""Calls the app from another pod by its name, then from outside through the ingress controller."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Answer, Bench, Finding, get

NAME, HOST = "comptoir", "comptoir.example.com"
OTHER_HOST = "autre.example.com"
PATHS = ("/", "/api/info")
"""Its page, and what is below."""
LEARNT_S = 6.0
"""What DNS, Services and the ingress controller get to learn of new objects."""
CALL = f"import urllib.request as u; print(u.urlopen('http://{NAME}/api/info', timeout=3).status)"


def check(bench: Bench) -> Finding:
    """Return which door stays closed, or is too open."""
    bench.progress.step("Déploiement de « comptoir », puis de vos objets")
    bench.apply(bench.given("comptoir.yaml"))
    bench.apply(bench.answer["interne"])
    bench.apply(bench.answer["externe"])
    services = [item["metadata"]["name"] for item in bench.namespace.list("service")]
    if not services or not bench.namespace.list("ingress"):
        return Finding("incomplet", "il faut un Service et un Ingress.")
    if NAME not in services:
        return Finding(
            "nom", f"aucun Service ne s’appelle « {NAME} » (mais : {', '.join(services)})."
        )
    bench.wait_settled()
    pods = {pod["metadata"]["name"] for pod in bench.namespace.list("pod")}
    bench.progress.step(f"D’un pod : http://{NAME}")
    if not _called_inside(bench, min(pods)):
        return Finding("dedans", f"d’un autre pod, http://{NAME} ne répond pas.")
    url = bench.cluster.ingress_url(bench.progress)
    bench.progress.step(f"De dehors : Host: {HOST}")
    for path in PATHS:
        if (answer := _asked_outside(bench, url, path, pods)).pod not in pods:
            return Finding("dehors", f"de dehors, {HOST}{path} reçoit : HTTP {answer.status}.")
    if get(url, headers={"Host": OTHER_HOST}).pod in pods:
        return Finding("trop-ouvert", f"{HOST} répond, mais {OTHER_HOST} aussi.")
    return Finding(
        None, f"http://{NAME} répond dedans, {HOST} dehors, et {OTHER_HOST} ne mène nulle part."
    )


def _called_inside(bench: Bench, pod: str) -> bool:
    argv = ["python3", "-c", CALL]
    return bench.until(
        lambda: bench.namespace.exec(pod, argv).stdout.strip() == "200", LEARNT_S, every_s=0.5
    )


def _asked_outside(bench: Bench, url: str, path: str, pods: set[str]) -> Answer:
    """Return what the ingress controller answers once it leads to one of the pods, or last of all."""
    return bench.until(
        lambda: get(url, path, headers={"Host": HOST}), LEARNT_S, lambda answer: answer.pod in pods
    )
