"""Which pod answered how often, and within which numbers chance would have it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .outcomes import failed
from .relabel import in_service
from .story import Story

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
    good = [
        one for one in sorted(run.requests, key=lambda one: one.planned_s) if one.ok and one.pod
    ]
    pods = Counter(str(one.pod) for one in good)
    replicas = int(run.parameters["replicas"])
    chance = 1 / replicas
    rows = [len(list(group)) for _, group in itertools.groupby(good, key=lambda one: one.pod)]
    return Shares(
        answers=dict(pods.most_common()),
        expected=(len(good) * chance, *binomial_interval(len(good), chance)),
        longest_row=max(rows, default=0),
    )


def left_endpoints_s(run: Run) -> float | None:
    """Return how long after its deletion a pod was taken from the endpoints; None where it was not."""
    mark = run.mark("delete")
    if mark is None:
        return None
    stretches = in_service(run, str(run.parameters["service"])).get(mark.detail, ())
    ends = [one.end_s - mark.at_s for one in stretches if mark.at_s <= one.end_s < run.ended_s]
    return ends[0] if ends else None


def same_addresses(run: Run) -> bool | None:
    """Return whether the Service kept its addresses while a pod was replaced; None before anybody has looked."""
    if "addresses_after" not in run.parameters:
        return None
    return bool(run.parameters["addresses_before"] == run.parameters["addresses_after"])


def balancing_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the shares, the death and the types."""
    found: dict[str, Any] = {}
    for name in ("new-connections", "keep-alive"):
        one = shares(recording.run(name))
        found[name] = {
            "answers": dict(one.answers),
            "expected": list(one.expected),
            "longest_row": one.longest_row,
        }
    dies = recording.run("pod-dies")
    found["pod-dies"] = {
        "left_endpoints_s": left_endpoints_s(dies),
        "same_addresses": same_addresses(dies),
        "failed": len(failed(dies.requests)),
    }
    found["types"] = list(recording.run("types").parameters["types"])
    return found


def balancing_story(recording: Recording) -> Story:
    """Return what a Service must tell wherever it is measured."""
    spread, kept = (shares(recording.run(name)) for name in ("new-connections", "keep-alive"))
    dies = recording.run("pod-dies")
    left_s = left_endpoints_s(dies)
    verdicts: dict[str, object] = {
        "nouvelles connexions : pods qui répondent": len(spread.answers),
        "nouvelles connexions : au hasard": spread.fair,
        "nouvelles connexions : à tour de rôle": spread.longest_row == 1,
        "connexion gardée : un pod répond à presque tout": kept.largest >= ALMOST_ALL,
        "pod supprimé : quitte les endpoints": left_s is not None,
        "pod supprimé : adresses inchangées": same_addresses(dies),
        "pod supprimé : perd des requêtes": bool(failed(dies.requests)),
    }
    for one in recording.run("types").parameters["types"]:
        given = [key for key in ("cluster_ip", "node_port", "external", "alias") if one[key]]
        verdicts[f"{one['type']} : reçoit"] = tuple(given)
    return Story(verdicts, {} if left_s is None else {"sortie des endpoints": left_s})
