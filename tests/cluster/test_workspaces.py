"""Exercises judged by a namespace's state, in the hands of who deletes it, mistakes it, or opens it twice."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kernels import Kernel, kernel

from embedded_kubernetes.processes import run
from k8s_helpers import exercises
from k8s_helpers._errors import BusyError, SpoiledError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster.clusters import environment
from k8s_helpers.exercises.workspace import Workspace, stop

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster

NAME = "16-bibliotheque"
QUIET = Silent()


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture
def workspace(cluster: Cluster) -> Iterator[Workspace]:
    begun = Workspace(cluster, exercises.load(NAME))
    begun.start(QUIET)
    yield begun
    begun.stop()


def test_what_was_deleted_or_never_begun_says_how_to_begin(
    cluster: Cluster, workspace: Workspace
) -> None:
    workspace.namespace.delete()
    with pytest.raises(UsageError, match="n’existe pas") as caught:
        exercises.check(NAME, cluster=cluster, progress=QUIET)
    assert f'start("{NAME}")' in caught.value.advice
    assert exercises.load(NAME).wrong and not exercises.progress().passed


def test_a_namespace_deleted_while_it_is_looked_at_judges_nothing(
    cluster: Cluster, workspace: Workspace
) -> None:
    """The student has changed something, so that the check waits; then it all goes."""
    workspace.namespace.scale("deployment", "bibliotheque", 0)
    workspace.namespace.patch("configmap", "bibliotheque", {"data": {"texte_accueil": "Bonjour"}})
    workspace.namespace.patch(
        "deployment", "bibliotheque", {"spec": {"replicas": 1, "paused": True}}
    )
    pod = {"spec": {"template": {"spec": {"nodeSelector": {"nulle": "part"}}}}}
    workspace.namespace.patch("deployment", "bibliotheque", pod)
    path = f"/api/v1/namespaces/{workspace.namespace.name}"
    later = threading.Timer(0.7, lambda: cluster.api.request("DELETE", path))
    later.start()
    with pytest.raises((UsageError, SpoiledError)) as caught:
        exercises.check(NAME, cluster=cluster, progress=QUIET)
    later.join()
    assert "supprimé" in caught.value.found
    assert exercises.progress().rows and not exercises.progress().passed


def test_what_is_made_in_another_namespace_is_seen_there(
    cluster: Cluster, workspace: Workspace
) -> None:
    values = {**environment(cluster.provider), "KUBECONFIG": str(cluster.kubeconfig)}
    kubectl = ["kubectl", "--namespace=default"]
    made = [*kubectl, "create", "deployment", "bibliotheque", "--image=vitrine:v1"]
    run(made, timeout_s=30, env=values)
    try:
        verdict = exercises.check(NAME, cluster=cluster, progress=QUIET)
    finally:
        gone = [*kubectl, "delete", "deployment", "bibliotheque", "--now"]
        run(gone, timeout_s=30, env=values)
    assert verdict.finding.code == "espace", verdict
    assert "Deployment/bibliotheque dans « default »" in verdict.finding.text
    assert verdict.hint is not None
    assert exercises.check(NAME, cluster=cluster, progress=QUIET).finding.code == "cle"


def test_a_second_notebook_waits_its_turn(workspace: Workspace) -> None:
    with workspace._alone("Commencer"), pytest.raises(BusyError, match="un autre notebook"):
        Workspace(workspace.cluster, workspace.exercise).check(QUIET)
    assert workspace.check(QUIET).code == "cle", "an untouched namespace is not waited for"


def test_two_notebooks_look_each_in_its_own_namespace(cluster: Cluster) -> None:
    """Their cells do not disturb each other; a terminal looks where the last one said."""
    connect = "import k8s_helpers as kh; cluster = kh.connect()\n"
    current = "!kubectl config view --minify -o jsonpath='{..namespace}'"
    with kernel() as one, kernel() as other:
        for started, name in ((one, "premier"), (other, "second")):
            started.run(f"{connect}espace = cluster.namespace({name!r}).create(); espace.use()")
        try:
            assert "premier" in one.run(current).text
            assert "second" in other.run(current).text
            terminal = {**os.environ, **environment(cluster.provider)}
            argv = ["kubectl", "config", "view", "--minify", "-o", "jsonpath={..namespace}"]
            assert run(argv, timeout_s=30, env=terminal).stdout == "second"
            set_one = ["kubectl", "config", "set-context", "--current", "--namespace=default"]
            run(set_one, timeout_s=30, env=terminal)
            assert "second" in other.run(current).text, "a terminal moves no notebook"
        finally:
            for started in (one, other):
                started.run("espace.delete()")


@pytest.mark.parametrize("call", ["start", "check"])
def test_stop_pressed_three_times_leaves_no_half_of_an_exercise(
    cluster: Cluster, call: str
) -> None:
    with kernel() as started:
        started.run("import k8s_helpers as kh; cluster = kh.connect()")
        if call == "check":
            started.run(f"kh.start({NAME!r})")
            _touch(started)
        moment = {"start": "Préparation de l’espace", "check": "Examen de votre espace"}[call]
        cell = started.send(f"kh.{call}({NAME!r})")
        cell.wait_for(moment)
        started.press_stop(3)
        cell.wait()
        assert cell.error is not None and cell.error["ename"] == "Interrupted", cell.text
        assert len(cell.traceback.splitlines()) == 3
        workspace = Workspace(cluster, exercises.load(NAME))
        if call == "check":
            assert workspace.namespace.name in cluster.namespaces(), "nothing of the student's goes"
        else:
            with pytest.raises(UsageError, match="n’existe pas"):
                workspace.check(QUIET)
    stop(NAME, cluster=cluster, progress=QUIET)
    end_s = time.monotonic() + 30
    while any(NAME in name for name in cluster.namespaces()):
        assert time.monotonic() < end_s
        time.sleep(0.2)


def _touch(started: Kernel) -> None:
    """Change something that never becomes ready, so that the check waits for it."""
    started.run(
        "espace = cluster.namespace('exercice-16-bibliotheque')\n"
        "espace.patch('configmap', 'bibliotheque', {'data': {'texte_accueil': 'x'}})\n"
        "espace.patch('deployment', 'bibliotheque', "
        "{'spec': {'template': {'spec': {'nodeSelector': {'nulle': 'part'}}}}})"
    )
