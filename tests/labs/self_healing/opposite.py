"""Recordings of self-healing in which the cluster closes no gap."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.labs.self_healing.codes import Gap
from k8s_helpers.measure.recording import Recording, Run

CLAIMS = (
    "même pod, 1 redémarrage sur place",
    "1 nouveau pod, un autre nom",
    "le cluster suit",
    "dont 1 gardé à 0 pod",
    "état désiré retrouvé",
    "0 requête perdue",
)

COMING = ("ready", "restarted")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_unhealed, recording.runs)))


def _unhealed(run: Run) -> Run:
    """Return a run in which nothing comes after what goes, and every request is lost."""
    since_s = next(mark.at_s for mark in run.marks if mark.kind in set(Gap))
    old = {event.uid for event in run.pods if event.at_s < since_s}
    parameters = dict(run.parameters)
    if "replica_sets" in parameters:
        sets = parameters["replica_sets"]
        parameters["replica_sets"] = [{**each, "replicas": 1} for each in sets]
    return replace(
        run,
        parameters=parameters,
        marks=tuple(mark for mark in run.marks if run.name != "image" or mark.kind != "recovered"),
        pods=tuple(
            event
            for event in run.pods
            if event.uid in old and (event.at_s < since_s or event.kind not in COMING)
        ),
        requests=tuple(replace(request, error="refused") for request in run.requests),
    )
