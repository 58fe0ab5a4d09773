"""Each exercise on a live cluster: the starter does not pass, the solution does, each wrong answer gets its hint.

On the embedded cluster, or with `K8S_HELPERS_PROVIDER=kind` on kind.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from k8s_helpers import exercises
from k8s_helpers.cluster import Cluster
from k8s_helpers.exercises import marking

ALL = exercises.exercises()
GONE_S = 60.0
"""An exercise's namespace goes away by itself after its verdict."""
# All first mistakes, then all second ones: the namespace of an exercise goes away while the next ones are tried.
WRONG = [
    (name, mistake)
    for mistakes in itertools.zip_longest(
        *([(name, mistake) for mistake in exercise.wrong] for name, exercise in ALL.items())
    )
    for name, mistake in filter(None, mistakes)
]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster of the provider that `K8S_HELPERS_PROVIDER` names, as in the notebooks."""
    kind = os.environ["K8S_HELPERS_PROVIDER"] == "kind"
    chosen: Cluster = request.getfixturevalue("kind_cluster" if kind else "cluster")
    return chosen


@pytest.fixture(autouse=True)
def own_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each check three times its limit: that is a student's patience, not a busy machine's."""

    def load(name: str) -> exercises.Exercise:
        exercise = exercises.load(name)
        return replace(exercise, timeout_s=3 * exercise.timeout_s)

    monkeypatch.setattr(marking, "load", load)


@pytest.mark.parametrize("name", ALL)
def test_the_starter_does_not_pass_and_gets_a_hint(name: str, cluster: Cluster) -> None:
    verdict = exercises.check(name, *exercises.starter(name), cluster=cluster)
    assert not verdict.passed
    assert verdict.hint is not None, verdict


@pytest.mark.parametrize("name", ALL)
def test_the_solution_passes(name: str, cluster: Cluster) -> None:
    verdict = exercises.check(name, *exercises.load(name).solution(), cluster=cluster)
    assert verdict.passed, verdict


@pytest.mark.parametrize(("name", "mistake"), WRONG)
def test_a_wrong_answer_gets_the_hint_written_for_it(
    name: str, mistake: str, cluster: Cluster
) -> None:
    exercise = exercises.load(name)
    verdict = exercises.check(name, *exercise.wrong_answer(mistake), cluster=cluster)
    assert verdict.finding.code == exercise.wrong[mistake], verdict
    assert verdict.hint == exercise.hints[exercise.wrong[mistake]][0]


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
    verdict = exercises.check(
        name, solution.replace("periodSeconds", "periodSecond"), cluster=cluster
    )
    assert verdict.finding.code == "refuse", verdict
    assert "periodSeconds" in verdict.finding.text


def test_nothing_is_left_in_the_cluster(cluster: Cluster) -> None:
    exercises.check("09-budget", "kind: [", cluster=cluster)
    end_s = time.monotonic() + GONE_S
    while left := [name for name in cluster.namespaces() if "exercice" in name]:
        assert time.monotonic() < end_s, left
        time.sleep(0.5)
