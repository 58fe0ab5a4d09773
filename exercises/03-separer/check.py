"""Scales the site to three pods, writes notes through the Service, then reads them as several visitors."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from k8s_helpers._french import count
from k8s_helpers.exercises import Bench, Finding

SITES, NOTES, READERS = 3, 9, 12
SITE_S = 20.0


def check(bench: Bench) -> Finding:
    """Return whether every visitor reads every note once there are three sites."""
    objects = bench.answer["manifeste"]
    named = {(item["kind"], item["metadata"]["name"]) for item in objects}
    if not named >= {("Deployment", "carnet"), ("Service", "carnet")}:
        return Finding("incomplet", "il manque le Deployment ou le Service nommé « carnet ».")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.progress.step(f"Le site passe à {SITES} pods")
    bench.namespace.scale("deployment", "carnet", SITES)
    bench.wait_settled()
    if (behind := len(bench.chosen("carnet"))) > SITES:
        told = f"{behind} pods derrière le Service « carnet », pour {SITES} sites"
        return Finding("porte-close", f"{told} : une partie des visiteurs trouve porte close.")
    bench.wait_answers("carnet")
    url = bench.namespace.service_url("carnet", timeout_s=bench.remaining_s).url
    _wait_all_sites(bench, url)
    bench.progress.step(f"{NOTES} notes écrites, {READERS} visiteurs")
    try:
        writes = [_ask(f"{url}/notes", {"text": str(note)}) for note in range(NOTES)]
        reads = [_ask(f"{url}/notes") for _ in range(READERS)]
    except urllib.error.HTTPError as error:
        return Finding("injoignable", f"le site répond, sans sa base : {_error(error)}")
    return _judge(bench, {one["database"] for one in writes}, [len(one["notes"]) for one in reads])


def _judge(bench: Bench, databases: set[str], seen: list[int]) -> Finding:
    if len(databases) == 1 and set(seen) == {NOTES}:
        return Finding(None, f"{SITES} sites, une base, et chacun lit les {NOTES} notes.")
    told = (
        f"{count(len(databases), 'base')} pour {NOTES} notes ; les visiteurs en ont lu de "
        f"{min(seen)} à {max(seen)}."
    )
    sites = {pod["metadata"]["name"] for pod in bench.namespace.list("pod", "app=carnet")}
    return Finding("dupliquee" if databases <= sites else "trois-bases", told)


def _wait_all_sites(bench: Bench, url: str) -> None:
    """Wait until each site has answered: a Service learns of its new pods one after the other."""
    seen: set[str] = set()
    end_s = time.monotonic() + SITE_S
    while len(seen) < SITES and time.monotonic() < end_s:
        seen.add(_ask(f"{url}/api/info")["pod"])
        bench.pause(0.05)


def _ask(url: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _error(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError):
        return f"HTTP {error.code}"
