"""The outcome turned round: pods answer in turn on kept connections too, the deleted one stays, addresses change."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = (
    "réparties au hasard",
    "pas à tour de rôle",
    "un seul pod en a",
    "le Service choisit à la connexion",
    "aucune adresse ne change",
    "sorti des endpoints",
    "un autre le remplace",
    "<pending>",
)


def opposite(recording: Recording) -> Recording:
    new, kept, dies, types = recording.runs
    return replace(recording, runs=(_in_turn(new), _in_turn(kept), _stays(dies), _given(types)))


def _in_turn(run: Run) -> Run:
    requests = [
        replace(request, pod="abc"[index % 3]) for index, request in enumerate(run.requests)
    ]
    return replace(run, requests=tuple(requests))


def _stays(run: Run) -> Run:
    moved = {**run.parameters["addresses_before"], "cluster_ip": "10.0.0.9"}
    return replace(
        run,
        endpoints=run.endpoints[:1],
        parameters={**run.parameters, "addresses_after": moved},
    )


def _given(run: Run) -> Run:
    types = [{**service, "external": "192.0.2.1"} for service in run.parameters["types"]]
    return replace(run, parameters={**run.parameters, "types": types})
