"""A student's journal in the cluster: written in the background, seldom, and never in the way."""

from __future__ import annotations

import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from k8s_helpers import exercises, journal
from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.classroom.attention import Need, seats
from k8s_helpers.classroom.screen import Screen
from k8s_helpers.classroom.watching import ClassWatch, served
from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.journal import shared, sharing
from k8s_helpers.journal.sharing import Sharing
from k8s_helpers.kube.api import ApiSession
from k8s_helpers.kube.classes import HOME, JOURNAL, Enrolment, class_labels
from k8s_helpers.kube.waiting import wait_until


@pytest.fixture(autouse=True)
def own_journal(environment: os._Environ[str], tmp_path: Path) -> Iterator[None]:
    environment["K8S_HELPERS_PROGRESS"] = str(tmp_path / "progress.json")
    yield
    for active in sharing._active.values():
        journal.listeners.remove(active.soon)
        active.close()
    sharing._active.clear()


@pytest.fixture
def enrolled(cluster: Cluster, namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster as a student of a class has it, whose home is the test's namespace."""
    provider = type(cluster.provider)
    given = property(lambda self: Enrolment("w-classe", "zoe"))
    monkeypatch.setattr(provider, "enrolment", given)
    monkeypatch.setattr(provider, "home_namespace", property(lambda self: namespace.name))
    return cluster


def _written(cluster: Cluster, namespace: Namespace) -> dict[str, Any] | None:
    return cluster.api.find(f"/api/v1/namespaces/{namespace.name}/configmaps/{JOURNAL}")


def test_a_check_is_seen_with_the_servers_time_and_said_once(
    enrolled: Cluster, namespace: Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = exercises.load("09-budget")
    wrong = exercise.wrong_answer(next(iter(exercise.wrong)))
    for answer in (wrong, wrong, exercise.solution()):
        exercises.check("09-budget", *answer, cluster=enrolled, progress=Silent())
    assert capsys.readouterr().out.count("Votre enseignant voit") == 1
    (active,) = sharing._active.values()
    active.close()
    item = _written(enrolled, namespace)
    assert item is not None
    assert item["metadata"]["labels"][shared.JOURNAL_LABEL] == "w-classe"
    seen = shared.of_config_map(item)
    assert seen is not None
    tried = seen.exercises["09-budget"]
    assert (tried.attempts, tried.passed, sum(tried.mistakes.values())) == (3, True, 2)
    assert seen.active_s is not None and abs(seen.active_s - time.time()) < 30


def test_writes_are_few_and_the_last_is_whole(enrolled: Cluster, namespace: Namespace) -> None:
    active = Sharing(enrolled.api, namespace.name, "w-classe", every_s=3600)
    for number in range(50):
        journal.change(lambda known, n=number: known.with_prediction(f"{n}", {"x": 1}))  # type: ignore[misc]
        active.soon()
    assert wait_until(lambda: _written(enrolled, namespace) is not None, 10, every_s=0.02)
    active.soon()
    before = _written(enrolled, namespace)
    active.close(10)
    after = _written(enrolled, namespace)
    assert before is not None and after is not None
    assert before["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"]
    seen = shared.of_config_map(after)
    assert seen is not None and seen.predicted == 50


def test_two_machines_write_beside_each_other(
    enrolled: Cluster, namespace: Namespace, tmp_path: Path, environment: os._Environ[str]
) -> None:
    for machine in range(6):
        environment["K8S_HELPERS_PROGRESS"] = str(tmp_path / f"{machine}.json")
        entry = journal.ExerciseEntry(attempts=machine + 1)
        journal.change(lambda known, e=entry: known.with_exercise("09-budget", e))  # type: ignore[misc]
        active = Sharing(enrolled.api, namespace.name, "w-classe")
        active.soon()
        active.close(10)
    item = _written(enrolled, namespace)
    assert item is not None and len(item["data"]) <= shared.MAX_FILES
    seen = shared.of_config_map(item)
    assert seen is not None and seen.exercises["09-budget"].attempts == 1 + 2 + 3 + 4 + 5 + 6


def test_no_means_no_and_takes_back_what_is_there(
    enrolled: Cluster, namespace: Namespace, environment: os._Environ[str]
) -> None:
    sharing.begin(enrolled)
    assert wait_until(lambda: _written(enrolled, namespace) is not None, 10, every_s=0.02)
    sharing.choose(False, enrolled)
    assert _written(enrolled, namespace) is None
    journal.change(lambda known: known.active("09-budget"))
    next(iter(sharing._active.values())).close(10)
    assert _written(enrolled, namespace) is None
    assert not sharing.wanted(Enrolment("w-classe", "zoe"))
    journal.change(lambda known: replace(known, shares=True))
    assert sharing.wanted(Enrolment("w-classe", "zoe"))
    assert not sharing.wanted(Enrolment("w-classe", "zoe", share_progress=False))
    environment[sharing.VARIABLE] = "0"
    assert not sharing.wanted(Enrolment("w-classe", "zoe"))


@pytest.mark.quiet
def test_who_may_not_write_or_has_no_server_is_not_disturbed(
    enrolled: Cluster, namespace: Namespace
) -> None:
    account = f"system:serviceaccount:{namespace.name}:default"
    forbidden = Sharing(enrolled.api.acting_as(account), namespace.name, "w-classe")
    forbidden.soon()
    assert wait_until(lambda: forbidden._forbidden, 10, every_s=0.02)
    journal.change(lambda known: known.active())
    forbidden.close(10)
    gone = ApiSession(enrolled.kubeconfig)
    gone.access = replace(gone.access, server="https://127.0.0.1:1")
    away = Sharing(gone, namespace.name, "w-classe")
    begun_s = time.monotonic()
    away.soon()
    assert time.monotonic() - begun_s < 0.5
    away.close(10)
    assert _written(enrolled, namespace) is None


def test_the_teacher_sees_a_student_with_one_watch_a_kind(cluster: Cluster, tmp_path: Path) -> None:
    name = f"w{secrets.token_hex(3)}"
    home = f"{name}-zoe"
    body = {"metadata": {"name": home, "labels": class_labels(name, "zoe", HOME)}}
    cluster.api.request("POST", "/api/v1/namespaces", body=body)
    try:
        with ClassWatch(cluster.api, name) as watched:
            (seat,) = seats(watched.state(), time.time())
            assert seat.need == Need.ABSENT
            journal.change(lambda known: known.with_mistake("09-budget", "x").active("09-budget"))
            active = Sharing(cluster.api, home, name)
            active.soon()
            active.close(10)
            assert wait_until(lambda: watched.state().journals, 10, every_s=0.02)
            assert abs(watched.clock_offset_s) < 5
            screen = Screen(watched, name, {"zoe": "Zoé"}, 5.0)
            screen.once(tmp_path / "classe.html")
            page = (tmp_path / "classe.html").read_text("utf-8")
            assert "Zoé" in page and "09-budget : pas essayé, en cours" in page
            with served(screen.page, 0) as url:
                answer = urllib.request.urlopen(url).read().decode()
                assert "Zoé" in answer
                other = urllib.request.Request(url, headers={"Host": "exemple.fr"})
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(other)
        with pytest.raises(UsageError, match="aucun espace de noms"):
            ClassWatch(cluster.api, "personne")
    finally:
        cluster.api.request("DELETE", f"/api/v1/namespaces/{home}")
