"""A node that was asked for and never came: nobody lands there, and it cannot leave."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Un nœud rejoint un cluster plein",
    "un nœud de plus : 2 y sont prêts",
    "2 attendent encore",
    "Le nœud repart en",
    "ses pods, expulsés, sont remplacés",
    "nœud Ready",
)


def opposite(recording: Recording) -> Recording:
    """Return the recording as it would be without the node."""
    (run,) = recording.runs
    name = run.parameters["joined"]
    there = {event.uid for event in run.pods if event.detail == name}
    alone = replace(
        run,
        parameters={key: value for key, value in run.parameters.items() if key != "joined"},
        pods=tuple(
            event for event in run.pods if event.uid not in there or event.kind == "created"
        ),
        marks=tuple(mark for mark in run.marks if mark.kind in ("apply", "add")),
    )
    return replace(recording, runs=(alone,))
