"""Looks for a Deployment that holds its pods, and a Service of that name that answers."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, count, ready, rolled_out

NAME, PODS, REQUESTS = "accueil", 3, 9
SETTLED_S, LEARNT_S = 20.0, 6.0


def check(bench: Bench) -> Finding:
    """Return what is missing between an empty namespace and an application that answers."""
    names = [item["metadata"]["name"] for item in bench.namespace.list("deployment")]
    if NAME not in names:
        return _without_deployment(bench, names)
    bench.until(lambda: rolled_out(bench.namespace.get("deployment", NAME)), SETTLED_S)
    standing = sum(map(ready, bench.namespace.list("pod")))
    if not rolled_out(bench.namespace.get("deployment", NAME)):
        return Finding(
            "bloque", f"le Deployment a {count(standing, 'pod prêt', 'pods prêts')} sur {PODS}."
        )
    if standing < PODS:
        return Finding("moins", f"{count(standing, 'pod tourne', 'pods tournent')}, pas {PODS}.")
    return _service(bench, standing)


def _without_deployment(bench: Bench, names: list[str]) -> Finding:
    if names:
        return Finding("nom", f"le Deployment s’appelle « {names[0]} ».")
    if pods := bench.namespace.list("pod"):
        alone = count(len(pods), "pod tourne", "pods tournent")
        return Finding("pods-seuls", f"{alone}, sans Deployment pour les remplacer.")
    return Finding("vide", "l’espace de noms est vide.")


def _service(bench: Bench, standing: int) -> Finding:
    if NAME not in [item["metadata"]["name"] for item in bench.namespace.list("service")]:
        return Finding("service", f"aucun Service ne s’appelle « {NAME} ».")
    if not bench.until(lambda: bench.behind(NAME), LEARNT_S):
        return Finding("etiquette", "le Service n’a aucun pod derrière lui.")
    ports = [port["port"] for port in bench.namespace.get("service", NAME)["spec"]["ports"]]
    if ports != [80]:
        return Finding("port", f"le Service répond sur {', '.join(map(str, ports))}, pas sur 80.")
    answers = bench.until(lambda: bench.ask(NAME, REQUESTS), LEARNT_S, all, every_s=0.5)
    lost = sum(not answer for answer in answers)
    if lost:
        return Finding("port", f"{lost} requêtes sur {REQUESTS} restent sans réponse.")
    return Finding(
        None, f"http://{NAME} répond {REQUESTS} fois sur {REQUESTS}, avec {standing} pods."
    )
