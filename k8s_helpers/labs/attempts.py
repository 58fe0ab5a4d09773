"""Labs that are made of attempts: who tried what, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from ..analysis import attempts
from ..analysis.story import Story
from ..measure.recording import Recording
from .lab import Lab, Part

if TYPE_CHECKING:
    from ..draw.figure import DescribedFigure
    from ..draw.table import Table


@dataclass(frozen=True)
class AttemptLab(Lab):
    """A lab whose `words.py` says all that its figure and its summary need: they are the same for all such labs.

    Attributes
    ----------
    varying : frozenset of str
        Answers that each cluster is free to give, by their code; they are no part of the lab's story.
    """

    parts: ClassVar[tuple[Part, ...]] = ("experiment", "words")

    varying: frozenset[str] = frozenset()

    @property
    def words(self) -> attempts.AttemptWords:
        """French for the codes of its attempts."""
        words: attempts.AttemptWords = self.part("words").WORDS
        return words

    def draw(self, recording: Recording, **options: Any) -> DescribedFigure:
        """Return the attempts of a recording as a figure."""
        figure: DescribedFigure = import_module("k8s_helpers.draw.attempts").attempts(
            recording, self.words
        )
        return figure

    def tabulate(self, recording: Recording) -> Table | None:
        """Return the same rows as its figure, as text that can be selected and wraps."""
        table: Table = import_module("k8s_helpers.draw.attempts").tabulate(recording, self.words)
        return table

    def numbers(self, recording: Recording) -> dict[str, Any]:
        """Return the attempts of each run in their order, in French."""
        return self.words.to_json(recording)

    def to_story(self, recording: Recording) -> Story:
        """Return each attempt's answer unless clusters may differ in it, and their order."""
        story = attempts.to_story(recording)
        verdicts = {
            code: value for code, value in story.verdicts.items() if code not in self.varying
        }
        return replace(story, verdicts=verdicts)
