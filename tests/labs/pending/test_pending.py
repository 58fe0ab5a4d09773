"""What the lab `pending` says of its kept measures, and of one of format 1."""

from __future__ import annotations

from pathlib import Path

from k8s_helpers import labs
from k8s_helpers.measure.recording import Recording


def test_the_story_says_who_is_placed_and_what_is_lacking() -> None:
    verdicts = labs.get("pending").to_story(labs.kept("pending", "embedded")).verdicts
    assert verdicts == {
        "trop-de-cpu.state": "Pending",
        "trop-de-cpu.lacks": ["cpu"],
        "trop-de-memoire.state": "Pending",
        "trop-de-memoire.lacks": ["memory"],
        "raisonnable.state": "Bound",
        "raisonnable.lacks": [],
    }


def test_words_of_format_1_become_codes() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    run = old.run("raisonnable")
    assert (run.parameters["state"], run.marks[-1].detail) == ("Bound", "Bound")
    assert labs.summarize(old) == labs.summarize(labs.kept("pending", "embedded"))
    assert labs.summarize(old)["pods"]["raisonnable"]["state"] == "placé"
