"""Reads the page's message through a Service: it must come from the other container, and go on changing."""

from __future__ import annotations

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    K8sHelpersError,
    ServiceAddress,
    containers,
    get,
)

FILE = "/app/partage/message.txt"
PATIENCE_S = 5.0
THERE = f"import pathlib; print(pathlib.Path({FILE!r}).exists())"


def check(bench: Bench) -> Finding:
    """Return whether what one container writes is what the other shows."""
    objects = bench.answer["manifeste"]
    parts = containers(objects[0])  # a sidecar stands among the init containers
    mounts = {part.get("name"): part.get("volumeMounts") or [] for part in parts}
    if len(objects) != 1 or set(mounts) != {"web", "redacteur"}:
        return Finding("incomplet", "il faut un Pod, avec deux conteneurs, web et redacteur.")
    pod = objects[0]["metadata"]["name"]
    bench.progress.step("Démarrage de votre pod")
    bench.apply(bench.given("service.yaml"))
    bench.apply(objects)
    if bench.stops_at_once("web"):
        return Finding(
            "cache", "le conteneur web s’arrête à peine lancé : il n’a plus son programme."
        )
    bench.wait_answers("bulletin")
    bench.progress.step("Lecture du bulletin")
    address = bench.namespace.service_url("bulletin", timeout_s=bench.remaining_s)
    seen = _messages(bench, address)
    if len(seen) > 1:
        return Finding(None, f"« {seen[0]} », puis « {seen[-1]} » : l’un écrit, l’autre montre.")
    if seen:
        return Finding("fige", f"« {seen[0]} », et plus rien de nouveau.")
    if not _there(bench, pod, "redacteur"):
        return Finding("ecriture", f"le rédacteur n’arrive pas à écrire {FILE}.")
    common = {mount["name"] for mount in mounts["web"]} & {
        mount["name"] for mount in mounts["redacteur"]
    }
    if common:
        return Finding("chemin", f"le volume est commun, mais web n’y trouve pas {FILE}.")
    return Finding("pas-partage", f"le rédacteur écrit {FILE}, mais web ne le voit pas.")


def _messages(bench: Bench, address: ServiceAddress) -> list[str]:
    """Return the different messages that come from the writer, two at most."""
    found: list[str] = []

    def two() -> bool:
        answer = get(address, "/api/info", timeout_s=2.0)
        message = str(answer.json()["message"]) if answer else ""
        if message.startswith("Il est ") and message not in found:
            found.append(message)
        return len(found) == 2

    bench.until(two, PATIENCE_S)
    return found


def _there(bench: Bench, pod: str, container: str) -> bool:
    try:
        done = bench.namespace.exec(pod, ["python3", "-S", "-c", THERE], container)
    except K8sHelpersError:  # its program has ended, and the container with it
        return False
    return done.stdout.strip() == "True"
