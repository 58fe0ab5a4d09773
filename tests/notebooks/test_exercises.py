"""Each exercise on a live cluster: the starter does not pass, the solution does, each wrong answer gets its hint.

Where a namespace is judged, the starter is what is there once the symptoms are seen, and answers are commands.
On the embedded cluster, or with `K8S_HELPERS_PROVIDER=kind` on kind. Several are checked at a time.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from concurrent_checks import Check, ConcurrentChecks
from processors import Turnstile

# The checks' threads must not import it at the same time: one of them could be given a module that is half there.
import k8s_helpers.labs  # noqa: F401
from k8s_helpers import _progress, exercises
from k8s_helpers.cluster import Cluster
from k8s_helpers.exercises import Exercise, Verdict, marking
from k8s_helpers.exercises.workspace import Workspace

GONE_S = 60.0
"""An exercise's namespace goes away by itself after its verdict."""

AT_ONCE, SETTLE_S = 6, 2.0
"""At most so many; one begins at least so long after the other."""
_MEASURES = re.compile(r"\bobserve\(|\bTraffic\(")
_TIMED = {
    "08-garanti": "how long an answer takes under a limit of the processor",
    "08-sur-place": "how long an answer takes once a limit is changed",
    "08-tas": "a Java program takes all of the processor that there is",
}
"""Exercises whose checks measure without sending traffic."""

_IMAGES = re.compile(r"k8s-lab image|build_image|remove_image")
_DOOR = re.compile(r"\bingress_url\(")


@dataclass(frozen=True)
class Attempt:
    """An answer to an exercise: its "starter", its "solution", or the wrong one of that name; drawn for a student."""

    exercise: str
    answer: str
    student: str = ""

    def check(self, cluster: Cluster) -> Verdict:
        """Have it checked."""
        exercise = marking.load(self.exercise, self.student)
        if exercise.workspace:
            return self._check_workspace(cluster, exercise)
        match self.answer:
            case "starter":
                texts = exercise.starter()
            case "solution":
                texts = exercise.solution()
            case mistake:
                texts = exercise.wrong_answer(mistake)
        return exercises.check(self.exercise, *texts, cluster=cluster, progress=_progress.Silent())

    def _check_workspace(self, cluster: Cluster, exercise: Exercise) -> Verdict:
        """Start the exercise in a namespace of this attempt's, type its commands, have what came of it checked."""
        suffix = "" if self.answer == "starter" else f"-{list(_answers(exercise)).index(self.answer)}"
        workspace = Workspace(cluster, exercise, f"{suffix}{'-b' if self.student else ''}")
        try:
            workspace.start(_progress.Silent())
            if self.answer != "starter":
                typed = workspace.type(exercise.folder / _answers(exercise)[self.answer])
                assert typed.returncode == 0 or self.answer != "solution", typed.stderr
            finding = workspace.check(_progress.Silent())
        finally:
            workspace.namespace.delete(timeout_s=0)
        return Verdict(self.exercise, finding, *exercise.hints.get(finding.code or "", (None,))[:1])


def _answers(exercise: Exercise) -> dict[str, str]:
    """Return the folders of a workspace exercise that hold commands, by the names of attempts."""
    return {"solution": "solution", **{name: f"wrong/{name}" for name in exercise.wrong}}


def _source(exercise: Exercise) -> str:
    return (exercise.folder / "check.py").read_text("utf-8")


def _measures(name: str) -> bool:
    """Return whether a check judges by times, traffic or the processor, which others would change."""
    return name in _TIMED or bool(_MEASURES.search(_source(exercises.load(name))))


def _shares(name: str) -> str:
    """Return what checks must not use at the same time: the exercise's namespace, or the one door of the Ingress."""
    return "ingress" if _DOOR.search(_source(exercises.load(name))) else name


def _has_its_own_namespace(exercise: Exercise) -> bool:
    """Return whether an attempt shares nothing with the others of its exercise.

    An image is the whole cluster's; so is what needs a right beyond the namespace: a volume, a class, a node.
    """
    if any(not right.namespace for right in exercise.rights):
        return False
    files = (path for path in exercise.folder.rglob("*") if path.suffix in (".sh", ".py"))
    return exercise.workspace and not any(_IMAGES.search(path.read_text("utf-8")) for path in files)


# The measuring ones together: each of them waits until the others are over.
ALL = sorted(exercises.exercises(), key=_measures)
# All first mistakes, then all second ones: the namespace of an exercise goes away while the next ones are tried.
WRONG = sorted(
    (
        (name, mistake)
        for mistakes in itertools.zip_longest(
            *([(name, mistake) for mistake in exercises.load(name).wrong] for name in ALL)
        )
        for name, mistake in filter(None, mistakes)
    ),
    key=lambda attempt: _measures(attempt[0]),
)


DRAWN = [
    name
    for name, exercise in exercises.exercises("", "").items()
    if exercise.values and not exercise.is_project
]
"""Exercises whose values differ from one student to the next; the project draws a name only."""


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster of the provider that `K8S_HELPERS_PROVIDER` names, as in the notebooks."""
    kind = os.environ["K8S_HELPERS_PROVIDER"] == "kind"
    chosen: Cluster = request.getfixturevalue("kind_cluster" if kind else "cluster")
    return chosen


@pytest.fixture(scope="module", autouse=True)
def own_journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        journal = tmp_path_factory.mktemp("journal") / "progress.json"
        patch.setenv("K8S_HELPERS_PROGRESS", str(journal))
        yield


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Give each check three times its limit: that is a student's patience, not a busy machine's."""

    def load(name: str, student: str = "") -> Exercise:
        exercise = exercises.load(name, student)
        return replace(exercise, timeout_s=3 * exercise.timeout_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marking, "load", load)
        yield


@pytest.fixture(scope="module")
def checks(
    request: pytest.FixtureRequest, cluster: Cluster, own_journal: None, patient: None
) -> Iterator[ConcurrentChecks]:
    """The checks of all attempts that this run asks for, under way."""
    concurrent = ConcurrentChecks(
        [_check(attempt, cluster) for attempt in _asked_for(request.session.items)],
        AT_ONCE,
        Turnstile(SETTLE_S).lets_in,
    )
    yield concurrent
    concurrent.close()


def _asked_for(items: list[pytest.Item]) -> list[Attempt]:
    values = [getattr(item, "callspec", None) for item in items]
    found = [spec.params.get("attempt") for spec in values if spec is not None]
    return [attempt for attempt in found if isinstance(attempt, Attempt)]


def _check(attempt: Attempt, cluster: Cluster) -> Check:
    shares = _shares(attempt.exercise)
    if shares == attempt.exercise and _has_its_own_namespace(exercises.load(attempt.exercise)):
        shares = f"{attempt.exercise} {attempt.answer} {attempt.student}"  # each attempt has a namespace of its own

    def run() -> Verdict:
        if shares == "ingress":
            _wait_left(cluster, shares, attempt.exercise)
        return attempt.check(cluster)

    return Check(attempt, shares, _measures(attempt.exercise), run)


def _wait_left(cluster: Cluster, shares: str, exercise: str) -> None:
    """Wait until the objects of the others that share something with an exercise are gone with their namespaces."""
    others = [name for name in ALL if _shares(name) == shares and name != exercise]
    end_s = time.monotonic() + GONE_S
    while left := [
        name for name in cluster.namespaces() if any(name.endswith(other) for other in others)
    ]:
        assert time.monotonic() < end_s, left
        time.sleep(0.2)


def _attempts(*described: tuple[str, str], ids: list[str]) -> Any:
    return pytest.mark.parametrize("attempt", [Attempt(*one) for one in described], ids=ids)


def test_the_exercises_named_as_measuring_exist() -> None:
    assert set(_TIMED) <= set(ALL)


@_attempts(*((name, "starter") for name in ALL), ids=ALL)
def test_the_starter_does_not_pass_and_gets_a_hint(
    attempt: Attempt, checks: ConcurrentChecks
) -> None:
    verdict = checks.result(attempt)
    assert not verdict.passed
    assert verdict.hint is not None, verdict


@_attempts(*((name, "solution") for name in ALL), ids=ALL)
def test_the_solution_passes(attempt: Attempt, checks: ConcurrentChecks) -> None:
    verdict = checks.result(attempt)
    assert verdict.passed, verdict


@_attempts(*WRONG, ids=["-".join(one) for one in WRONG])
def test_a_wrong_answer_gets_the_hint_written_for_it(
    attempt: Attempt, checks: ConcurrentChecks
) -> None:
    exercise = exercises.load(attempt.exercise)
    expected = exercise.wrong[attempt.answer]
    verdict = checks.result(attempt)
    assert verdict.finding.code == expected, verdict
    assert verdict.hint == exercise.hints[expected][0]
    if exercise.is_project:
        unmet = [criterion.code for criterion in verdict.finding.criteria if not criterion.met]
        assert set(unmet) == set(exercise.unmet[attempt.answer]), verdict


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt(name, answer, "Ada Lovelace")
        for name in DRAWN
        for answer in ("solution", *list(exercises.load(name).wrong)[:1])
    ],
    ids=lambda attempt: f"{attempt.exercise}-{attempt.answer}",
)
def test_values_drawn_for_another_student_are_judged_as_well(
    attempt: Attempt, checks: ConcurrentChecks
) -> None:
    code = exercises.load(attempt.exercise).wrong.get(attempt.answer)
    verdict = checks.result(attempt)
    assert verdict.finding.code == code, verdict


def test_what_never_becomes_ready_gets_an_answer_in_time(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "09-zero-perte"
    (solution,) = exercises.load(name).solution()
    impatient = replace(exercises.load(name), timeout_s=15.0)
    monkeypatch.setattr(marking, "load", lambda _: impatient)
    verdict = exercises.check(
        name, solution.replace("/healthz/ready", "/nulle-part"), cluster=cluster
    )
    assert verdict.finding.code == "bloque", verdict
    assert "n’arrive jamais" in verdict.finding.text


def test_a_service_that_leads_nowhere_is_told_soon(cluster: Cluster) -> None:
    name = "09-zero-perte"
    (solution,) = exercises.load(name).solution()
    verdict = exercises.check(
        name, solution.replace("targetPort: 8080", "targetPort: 8181"), cluster=cluster
    )
    assert verdict.finding.code == "bloque", verdict
    assert "targetPort" in verdict.finding.text


def test_what_the_api_server_refuses_is_told_with_its_line(cluster: Cluster) -> None:
    name = "09-zero-perte"
    (solution,) = exercises.load(name).solution()
    field = solution.index("periodSeconds")
    line = 1 + solution[:field].count("\n")
    column = field - solution[:field].rindex("\n")
    verdict = exercises.check(
        name, solution.replace("periodSeconds", "periodSecond"), cluster=cluster
    )
    assert verdict.finding.code == "refuse", verdict
    assert f"ligne {line}, colonne {column}" in verdict.finding.text
    assert "« periodSeconds »" in verdict.finding.text


def test_nothing_is_left_in_the_cluster(cluster: Cluster) -> None:
    exercises.check("09-budget", "kind: [", cluster=cluster)
    end_s = time.monotonic() + GONE_S
    while left := [name for name in cluster.namespaces() if "exercice" in name]:
        assert time.monotonic() < end_s, left
        time.sleep(0.5)
