"""What two containers of one pod share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...analysis.story import Story
from ...measure.recording import Recording, Run
from .codes import SHARED_BY_DESIGN, Aspect


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried from the second container, and what came of it.

    Attributes
    ----------
    shared : bool
        Whether it shares this with the first one.
    detail : str
        A URL and the status of its answer, a code of `codes.py`, a file's text ("" where there is none), a number of
        processes.
    """

    aspect: Aspect
    shared: bool
    detail: str

    @property
    def expected(self) -> bool:
        """Whether it is as Kubernetes promises."""
        return self.shared == (self.aspect in SHARED_BY_DESIGN)


def trials(run: Run) -> tuple[Trial, ...]:
    """Return what was tried, in its order."""
    return tuple(
        Trial(Aspect(plain["name"]), plain["shared"], plain["detail"])
        for plain in run.parameters["facts"]
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the pod."""
    return {"shared": {str(trial.aspect): trial.shared for trial in trials(recording.runs[0])}}


def to_story(recording: Recording) -> Story:
    """Return what a pod must tell wherever it runs."""
    run = recording.runs[0]
    times = {mark.kind: mark.at_s for mark in run.marks}
    return Story(
        {f"shares.{trial.aspect}": trial.shared for trial in trials(run)},
        {"start": times["ready"] - times["apply"], "end": times["gone"] - times["delete"]},
    )
