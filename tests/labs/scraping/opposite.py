"""The outcome turned round: counters grow half as fast as the traffic."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = ("Les compteurs retrouvent le trafic",)


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    samples = tuple(replace(sample, value=sample.value / 2) for sample in run.samples)
    return replace(recording, runs=(replace(run, samples=samples),))
