"""Runs the student's pod and asks it, from inside, who it is."""

from __future__ import annotations

import json
from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    K8sHelpersError,
    container_end,
    container_runs,
    container_statuses,
)

DEFAULT_MESSAGE = "Bienvenue dans la vitrine"
ASK = (
    "import os, urllib.request;"
    "host = os.environ.get('BIND_ADDR', '127.0.0.1');"
    "print(urllib.request.urlopen(f'http://{host}:8080/api/info', timeout=5).read().decode())"
)
TRIES = 12


def check(bench: Bench) -> Finding:
    """Return what the pod answers."""
    pods = bench.answer["manifeste"]
    if len(pods) != 1:
        return Finding("incomplet", "il faut un seul Pod.")
    bench.progress.step("Démarrage de votre pod")
    bench.apply(pods)
    name = pods[0]["metadata"]["name"]
    bench.namespace.wait("pod", name, _started_or_broken, bench.remaining_s)
    for _ in range(TRIES):
        bench.pause(0.5)
        if _restarted(bench.namespace.get("pod", name)):
            return Finding("plantage", f"le conteneur s’est arrêté : {_last_words(bench, name)}")
        try:
            answer = bench.namespace.exec(name, ["python3", "-S", "-c", ASK])
        except K8sHelpersError:  # its container has just ended
            continue
        if answer.returncode == 0:
            return _judge(json.loads(answer.stdout))
    return Finding("muet", "le pod tourne, mais son programme ne répond pas sur le port 8080.")


def _judge(info: dict[str, Any]) -> Finding:
    if info["version"] != "v2":
        return Finding("version", f"votre pod répond « version {info['version']} ».")
    if info["message"].strip() in ("", DEFAULT_MESSAGE):
        return Finding("message", f"votre pod dit encore « {info['message']} ».")
    return Finding(None, f"votre pod, en version 2, dit « {info['message']} ».")


def _started_or_broken(pod: dict[str, Any]) -> bool:
    return _restarted(pod) or container_runs(pod)


def _restarted(pod: dict[str, Any]) -> bool:
    return container_end(pod) is not None


def _last_words(bench: Bench, name: str) -> str:
    """Return the last line that the container wrote before it stopped."""
    restarted = any(
        status.get("restartCount")
        for status in container_statuses(bench.namespace.get("pod", name))
    )
    lines = bench.namespace.logs(name, previous=restarted, tail=1).strip().splitlines()
    return lines[-1] if lines else "il n’a rien écrit."
