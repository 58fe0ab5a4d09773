"""Recordings of a map on which the rules that lead somewhere lead nowhere, and the others to a pod."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "/archives ne mène à personne",
    "au Service archives, qui n’a aucun pod prêt",
    "ClusterIP, 2 pods prêts",
    "au Service boutique, donc à",
)


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    name = run.parameters["pods"][0]["name"]
    services = [
        {**service, "pods": [] if service["pods"] else [name]}
        for service in run.parameters["services"]
    ]
    parameters = {**run.parameters, "services": services}
    return replace(recording, runs=(replace(run, parameters=parameters),))
