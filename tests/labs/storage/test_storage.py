"""Claims and volumes: phases read from marks whose every fact is known beforehand, and how they are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from noted import run

from k8s_helpers import labs
from k8s_helpers.labs.storage import summarize as storage_summary
from k8s_helpers.labs.storage.codes import NoteRead, PhaseChange, Stuck
from k8s_helpers.measure.recording import Recording

CLAIM, VOLUME = "PersistentVolumeClaim", "PersistentVolume"


def phase(kind: str, uid: str, value: str) -> PhaseChange:
    return PhaseChange(kind, uid, uid, value)


def test_a_claim_that_waits_for_a_pod_is_told_apart() -> None:
    waits = run(
        "delete",
        (0.5, "phase", phase(CLAIM, "c", "Pending")),
        (3.0, "consumer", ""),
        (3.4, "phase", phase(VOLUME, "v", "Bound")),
        (3.5, "phase", phase(CLAIM, "c", "Bound")),
        (5.0, "read", NoteRead(written=False, kept=True)),
        (8.0, "phase", phase(CLAIM, "c", "Deleted")),
    )
    found = storage_summary(waits)
    assert found.claims == (("Pending", "Bound"),) and found.volumes == (("Bound",),)
    assert found.waits_for_pod and found.survives_pod
    assert found.bind_s == pytest.approx(0.5)
    figure = labs.storage.draw(Recording("storage", "embedded", "v1.37.0", (waits,)))
    assert "Pending puis Bound" in figure.alternative


def test_what_becomes_of_a_volume_is_read_from_its_phases() -> None:
    begin = [
        (0.0, "consumer", ""),
        (0.1, "phase", phase(CLAIM, "c", "Bound")),
        (0.2, "phase", phase(VOLUME, "v", "Bound")),
    ]
    released = (5.0, "phase", phase(VOLUME, "v", "Released"))
    gone = (6.0, "phase", phase(VOLUME, "v", "Deleted"))
    again = (7.0, "phase", phase(VOLUME, "v", "Bound"))
    for marks, words in (
        ([released, gone], "le volume part avec la demande"),
        ([released], "le volume reste."),
        ([released, again], "le volume reste et resservira"),
    ):
        made = Recording("storage", "kind", "v1.37.0", (run("retain", *begin, *marks),))
        assert words in labs.storage.draw(made).alternative.replace(" ; demande", ".").replace(
            "\u00a0; demande", "."
        )


@pytest.mark.parametrize(("pod", "waits"), [("Pending", True), ("Failed", False)])
def test_a_pod_that_fails_does_not_wait(pod: str, waits: bool) -> None:
    stuck = run(
        "impossible",
        (0.1, "phase", phase(CLAIM, "c", "Pending")),
        (9.0, "stuck", Stuck("Pending", pod, "no class")),
    )
    words = labs.storage.draw(Recording("storage", "kind", "v1.37.0", (stuck,))).alternative
    assert ("tout attend" in words) == waits


def test_a_recording_of_format_1_tells_the_same() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    kept = labs.kept("storage", "embedded")
    assert labs.summarize(old) == labs.summarize(kept)
    assert labs.draw(old).alternative == labs.draw(kept).alternative
