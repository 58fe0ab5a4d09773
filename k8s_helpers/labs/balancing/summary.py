"""Which pod answered how often, and within which numbers chance would have it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.pods import in_service
from ...analysis.story import Story, plain
from ...measure.recording import Recording, Run

CONFIDENCE = 0.999
"""Share of fair draws that fall within the interval: three pods leave it together once in 300 measures."""
ALMOST_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Shares:
    """Which pod answered how often.

    Attributes
    ----------
    answers : mapping of str to int
        Good answers by pod, the most frequent first.
    expected : tuple of (float, int, int)
        What a fair draw gives each pod: mean, and the interval that holds `CONFIDENCE` of the draws.
    longest_row : int
        Most answers of one pod one after the other.
    """

    answers: Mapping[str, int]
    expected: tuple[float, int, int]
    longest_row: int

    @property
    def total(self) -> int:
        """All good answers."""
        return sum(self.answers.values())

    @property
    def largest(self) -> float:
        """Share of the pod that answered most."""
        return max(self.answers.values(), default=0) / max(self.total, 1)

    @property
    def one_pod(self) -> bool:
        """Whether one pod gave almost all the answers."""
        return self.largest >= ALMOST_ALL

    @property
    def in_turn(self) -> bool:
        """Whether no pod ever answered twice in a row."""
        return self.longest_row == 1

    @property
    def fair(self) -> bool:
        """Whether each pod's count is within what chance would give."""
        _, low, high = self.expected
        return all(low <= count <= high for count in self.answers.values())


def binomial_interval(draws: int, chance: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Return the counts between which `confidence` of the draws fall, the same share left out on both sides."""
    if not draws or not 0 < chance < 1:
        return (0, 0) if chance <= 0 or not draws else (draws, draws)
    rest = (1 - confidence) / 2
    weights = [
        math.exp(
            math.lgamma(draws + 1)
            - math.lgamma(hits + 1)
            - math.lgamma(draws - hits + 1)
            + hits * math.log(chance)
            + (draws - hits) * math.log1p(-chance)
        )
        for hits in range(draws + 1)
    ]
    sums = list(itertools.accumulate(weights))
    low = next(hits for hits, below in enumerate(sums) if below > rest)
    high = next((hits for hits, below in enumerate(sums) if below >= 1 - rest), draws)
    return low, high


def shares(run: Run) -> Shares:
    """Count which pod answered how often in a run."""
    answered = (request for request in run.requests if request.ok and request.pod)
    pods = [str(request.pod) for request in sorted(answered, key=attrgetter("planned_s"))]
    chance = 1 / int(run.parameters["replicas"])
    return Shares(
        answers=dict(Counter(pods).most_common()),
        expected=(len(pods) * chance, *binomial_interval(len(pods), chance)),
        longest_row=max((len(list(row)) for _, row in itertools.groupby(pods)), default=0),
    )


def left_endpoints_s(run: Run) -> float | None:
    """Return how long after its deletion a pod was taken from the endpoints; None where it was not."""
    mark = run.mark("delete")
    if mark is None:
        return None
    stretches = in_service(run, str(run.parameters["service"])).get(mark.detail, ())
    ends = (stretch.end_s for stretch in stretches if mark.at_s <= stretch.end_s < run.ended_s)
    end_s = next(ends, None)
    return None if end_s is None else end_s - mark.at_s


def replaced(run: Run) -> bool:
    """Return whether another pod came behind the Service once one was deleted."""
    mark = run.mark("delete")
    members = in_service(run, str(run.parameters["service"]))
    return mark is not None and any(
        stretches[0].start_s >= mark.at_s for stretches in members.values()
    )


def same_addresses(run: Run) -> bool | None:
    """Return whether the Service kept its addresses while a pod was replaced; None before anybody has looked."""
    if "addresses_after" not in run.parameters:
        return None
    return bool(run.parameters["addresses_before"] == run.parameters["addresses_after"])


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the shares, the death and the types."""
    counted = {name: shares(recording.run(name)) for name in ("new-connections", "keep-alive")}
    dies = recording.run("pod-dies")
    return {
        **{name: plain(run, "answers", "expected", "longest_row") for name, run in counted.items()},
        "pod-dies": {
            "left_endpoints_s": left_endpoints_s(dies),
            "same_addresses": same_addresses(dies),
            "failed": len(failed(dies.requests)),
        },
        "types": list(recording.run("types").parameters["types"]),
    }


def to_story(recording: Recording) -> Story:
    """Return what a Service must tell wherever it is measured."""
    spread, kept = (shares(recording.run(name)) for name in ("new-connections", "keep-alive"))
    dies = recording.run("pod-dies")
    left_s = left_endpoints_s(dies)
    given = ("cluster_ip", "node_port", "external", "alias")
    return Story.of(
        {
            "new-connections": {
                "answering-pods": len(spread.answers),
                "random": spread.fair,
                "in-turn": spread.in_turn,
            },
            "keep-alive": {"one-pod": kept.one_pod},
            "pod-dies": {
                "leaves-endpoints": left_s is not None,
                "same-addresses": same_addresses(dies),
                "loses-requests": bool(failed(dies.requests)),
            },
            "types": {
                service["type"]: tuple(key for key in given if service[key])
                for service in recording.run("types").parameters["types"]
            },
        },
        {"pod-dies": {"left-endpoints": left_s}},
    )
