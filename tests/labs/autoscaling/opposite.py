"""An autoscaler that never moves while its pods are just as busy."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "4 pods au plateau, comme prévu",
    "premier ajout",
    "retour à 1 en",
    "Décisions : à ",
)


def opposite(recording: Recording) -> Recording:
    """Return the recording with the first pod alone, and the autoscaler's wish as it was at first."""
    (run,) = recording.runs
    first = min(run.pods, key=lambda event: event.at_s).uid
    wish = {"hpa_current": 1.0, "hpa_desired": 1.0}
    still = replace(
        run,
        pods=tuple(event for event in run.pods if event.uid == first),
        events=(),
        samples=tuple(
            replace(sample, value=wish.get(sample.name, sample.value)) for sample in run.samples
        ),
    )
    return replace(recording, runs=(still,))
