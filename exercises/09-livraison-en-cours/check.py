"""Asks the shop's clients, then delivers the slow version again and sees whether anybody notices."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    containers,
    count,
    failed,
    ready,
    rolled_out,
)

NAME, CONTAINER, PODS = "boutique", "site", 4
SLOW = "STARTUP_SECONDS"
SLOW_S = 600
REQUESTS = 8
SETTLED_S, WATCHED_S = 25.0, 4.0
RATE_PER_S = 20.0


def set_up(bench: Bench) -> None:
    """Serve version 1, then deliver a version 2 whose start takes ten minutes."""
    bench.apply(bench.given("given/boutique.yaml"))
    bench.wait_settled()
    bench.wait_answers(NAME)
    _deliver(bench)
    bench.wait_settled()


def symptoms(bench: Bench) -> bool:
    """Return whether the rollout says that it is over, while no client is answered."""
    done = rolled_out(bench.namespace.get("deployment", NAME))
    return done and not any(bench.ask(NAME, REQUESTS))


def check(bench: Bench) -> Finding:
    """Return who answers clients now, and who would during the next delivery."""
    deployment = bench.namespace.get("deployment", NAME)
    if _is_slow(deployment):
        untouched = deployment["metadata"]["generation"] <= 2
        text = "les clients n’ont toujours pas de réponse : la version 2 démarre."
        return Finding("intact" if untouched else "attente", text)
    bench.progress.step("Les pods de la version 1")
    if not bench.until(lambda: _serves(bench), SETTLED_S):
        return _unserved(bench)
    if not any("readinessProbe" in one for one in containers(deployment)):
        text = "la version 1 répond, mais rien ne dirait qu’un pod neuf ne répond pas encore."
        return Finding("sans-garde", text)
    return _next_delivery(bench, deployment)


def _serves(bench: Bench) -> bool:
    if not rolled_out(bench.namespace.get("deployment", NAME)):
        return False
    answers = bench.ask(NAME, REQUESTS)
    return all(answers) and len(bench.behind(NAME)) >= PODS


def _unserved(bench: Bench) -> Finding:
    pods = bench.current_pods(NAME)
    if not all(map(ready, pods)):
        return Finding("jamais-pret", "un pod de la version 1 n’est jamais prêt.")
    return Finding("moins", f"la version 1 répond, sur {count(len(pods), 'pod')}.")


def _next_delivery(bench: Bench, deployment: dict[str, Any]) -> Finding:
    """Deliver the slow version again under traffic, then put everything back as it was."""
    bench.progress.step("Une nouvelle livraison de la version 2, sous trafic")
    template = deployment["spec"]["template"]
    try:
        with bench.observe(NAME, RATE_PER_S) as seen:
            _deliver(bench)
            bench.pause(WATCHED_S)
    finally:
        bench.namespace.patch(
            "deployment",
            NAME,
            [{"op": "replace", "path": "/spec/template", "value": template}],
        )
    bench.until(lambda: _serves(bench), SETTLED_S)
    lost = len(failed(seen.run().requests))
    if lost:
        words = count(lost, "requête a été perdue", "requêtes ont été perdues")
        return Finding("sonde-aveugle", f"à la nouvelle livraison, {words}.")
    return Finding(None, "la version 1 est revenue, et une livraison lente ne coupe plus personne.")


def _deliver(bench: Bench) -> None:
    """Change the image as the colleague did; that version is slow to start."""
    slow = {"name": SLOW, "value": str(SLOW_S)}
    container = {
        "name": CONTAINER,
        "image": bench.typed("vitrine:v2"),
        "env": [slow],
    }
    template = {"spec": {"containers": [container]}}
    bench.namespace.patch("deployment", NAME, {"spec": {"template": template}})


def _is_slow(deployment: dict[str, Any]) -> bool:
    variables = [variable for one in containers(deployment) for variable in one.get("env") or ()]
    return any(variable["name"] == SLOW for variable in variables)
