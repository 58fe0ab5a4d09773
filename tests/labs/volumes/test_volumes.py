"""What survives what: read from observations whose every fact is known beforehand, and how it is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from noted import run

from k8s_helpers import labs
from k8s_helpers.labs.volumes import summarize as volumes_summary
from k8s_helpers.labs.volumes.codes import SurvivalCheck, Write, WritePlace
from k8s_helpers.labs.volumes.summary import READ_ONLY_ENFORCED
from k8s_helpers.measure.recording import Recording


def observation(moment: str, kept: str, uid: str = "u1") -> SurvivalCheck:
    return SurvivalCheck(moment, {place: place in kept.split() for place in WritePlace}, uid, 0)


def test_the_board_shows_what_survives_and_what_is_refused() -> None:
    survives = run(
        "survival",
        (1.0, "observation", observation("written", "root emptyDir hostPath claim")),
        (2.0, "crash", ""),
        (3.5, "restarted", ""),
        (4.0, "observation", observation("container", "emptyDir hostPath claim")),
        (6.0, "observation", observation("pod", "hostPath claim", "u2")),
    )
    refused = run(
        "read-only",
        (1.0, "write", Write(WritePlace.ROOT, False, "Read-only file system")),
        (1.1, "write", Write(WritePlace.EMPTY_DIR, True, "")),
    )
    recording = Recording("volumes", "embedded", "v1.37.0", (survives, refused))
    found = volumes_summary(recording)
    assert found.survives["container"] == {
        "root": False,
        "emptyDir": True,
        "hostPath": True,
        "claim": True,
    }
    assert (found.same_pod, found.refused) == ({"container": True, "pod": False}, ("root",))
    assert found.restart_s == 1.5
    (ax,) = labs.volumes.draw(recording).axes
    words = [text.get_text() for text in ax.texts]
    assert (
        sum("perdu" in text for text in words) == 3 and sum("refusé" in text for text in words) == 1
    )
    assert "pas essayée" not in labs.volumes.draw(recording).alternative


def test_a_board_without_its_last_column_says_why() -> None:
    survives = run("survival", (1.0, "observation", observation("written", "root")))
    survives = replace(survives, parameters={READ_ONLY_ENFORCED: False})
    chart = labs.volumes.draw(Recording("volumes", "embedded", "v1.37.0", (survives,)))
    *_, note = [text.get_text() for text in chart.texts]
    assert "pas essayée ici" in note and "espaces de noms" in note
    assert note in chart.alternative


def test_a_recording_of_format_1_tells_the_same() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    kept = labs.kept("volumes", "embedded")
    assert labs.summarize(old) == labs.summarize(kept)
    assert labs.draw(old).alternative == labs.draw(kept).alternative
