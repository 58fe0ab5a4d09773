"""Recordings of a cluster of which one part is down."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = ("tout va bien", "choisit un nœud pour chaque pod) va bien", "✔ kube-scheduler")


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    parameters = dict(run.parameters)
    parameters["plane"] = {**parameters["plane"], "kube-scheduler": False}
    return replace(recording, runs=(replace(run, parameters=parameters),))
