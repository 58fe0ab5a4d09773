"""Changes the ConfigMap under the running app, and waits to see whether what it shows follows."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from k8s_helpers._french import seconds
from k8s_helpers.exercises import Bench, Finding, container_statuses
from k8s_helpers.experiments.http import get
from k8s_helpers.forecasts.configuration import file_delay_s

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
    before = json.loads(get(address, "/config").body)
    settings = by_kind["ConfigMap"].get("data") or {}
    keys = [one for one, text in settings.items() if text.strip() == before["used"]]
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
    while (after_s := time.monotonic() - began_s) < longest_s:
        answer = get(address, "/config")
        shown = json.loads(answer.body) if answer.status == 200 else {}
        if shown.get("used") == wished and _pods(bench) == before:
            return Finding(
                None,
                f"la nouvelle phrase se voit {seconds(after_s)} après le changement, dans le même pod.",
            )
        bench.pause(0.2)
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
            sum(one["restartCount"] for one in container_statuses(pod)),
        )
        for pod in bench.namespace.list("pod")
    )
