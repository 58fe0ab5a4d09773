"""Changes the ConfigMap under the running app, and waits to see whether what it shows follows."""

from __future__ import annotations

import secrets
import time
from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, container_statuses, get, seconds
from k8s_helpers.labs.configuration.forecast import file_delay_s

KINDS = ("ConfigMap", "Deployment", "Service")
SLACK_S = 6.0
"""What a busy machine may add to the forecast."""


def check(bench: Bench) -> Finding:
    """Return whether a new sentence shows without a restart."""
    objects = bench.answer["manifeste"]
    if sorted(item["kind"] for item in objects) != sorted(KINDS):
        return Finding("incomplet", "il faut un ConfigMap, un Deployment et un Service.")
    by_kind = {item["kind"]: item for item in objects}
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    if bench.stops_at_once():
        return Finding("cache", "la vitrine s’arrête à peine lancée : elle n’a plus son programme.")
    bench.wait_settled()
    service = by_kind["Service"]["metadata"]["name"]
    bench.wait_answers(service)
    address = bench.namespace.service_url(service, timeout_s=0)
    before = get(address, "/config").require().json()
    settings = by_kind["ConfigMap"].get("data") or {}
    keys = [key for key, text in settings.items() if text.strip() == before["used"]]
    if not keys:
        return Finding(
            "ailleurs",
            f"la vitrine dit « {before['used']} » : ce n’est pas le texte de votre ConfigMap.",
        )
    return _change(bench, by_kind["ConfigMap"]["metadata"]["name"], keys, address)


def _change(bench: Bench, name: str, keys: list[str], address: Any) -> Finding:
    wished = f"Changée, numéro {secrets.randbelow(9000) + 1000}"
    bench.progress.step(f"Le ConfigMap change : « {wished} »")
    before = _pods(bench)
    bench.namespace.patch("configmap", name, {"data": dict.fromkeys(keys, wished)})
    began_s = time.monotonic()
    longest_s = file_delay_s(bench.cluster.provider.kind)[1] + SLACK_S
    shown: dict[str, Any] = {}

    def follows() -> bool:
        nonlocal shown
        answer = get(address, "/config")
        shown = answer.json() if answer else {}
        return shown.get("used") == wished and _pods(bench) == before

    if bench.until(follows, longest_s):
        after = (
            f"la nouvelle phrase se voit {seconds(time.monotonic() - began_s)} après le changement"
        )
        return Finding(None, f"{after}, dans le même pod.")
    still = (
        f"{seconds(longest_s)} après le changement, la vitrine dit encore « {shown.get('used')} »"
    )
    if (shown.get("file") or {}).get("content"):
        return Finding("fichier-fige", f"{still}, qu’elle lit pourtant dans un fichier.")
    return Finding("environnement", f"{still}, qu’elle a lu dans sa variable MESSAGE.")


def _pods(bench: Bench) -> list[tuple[str, int]]:
    """Return each pod with its restarts: a replaced pod follows too, but that is no answer here."""
    return sorted(
        (
            pod["metadata"]["uid"],
            sum(status["restartCount"] for status in container_statuses(pod)),
        )
        for pod in bench.namespace.list("pod")
    )
