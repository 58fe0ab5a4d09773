"""What students hand in, tried again on a cluster: the marks are the cluster's, whatever the pages say."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import check, exercises, journal, student
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Cluster
from k8s_helpers.exercises.grading import grader
from k8s_helpers.exercises.workspace import Workspace

pytestmark = pytest.mark.cluster

DRAWN = "17-epreuve-garanti"
WRITTEN = "07-manifeste-casse"
"""Answered by a namespace, with values of the student's own; and by a manifest."""


def _work(cluster: Cluster, journal_file: Path, name: str, patch: pytest.MonkeyPatch) -> None:
    """Do both exercises as a student of that name does."""
    patch.setenv("K8S_HELPERS_PROGRESS", str(journal_file))
    student(name)
    place = Workspace(cluster, exercises.load(DRAWN))
    place.start(Silent())
    place.type(place.exercise.folder / "solution")
    assert check(DRAWN, cluster=cluster, progress=Silent()).passed
    place.stop()
    texts = exercises.load(WRITTEN).solution()
    assert check(WRITTEN, *texts, cluster=cluster, progress=Silent()).passed


def test_marks_are_the_cluster_s(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rendus"
    _work(cluster, tmp_path / "ada.json", "Ada Lovelace", monkeypatch)
    honest = exercises.progress().save(folder / "ada.html", email="ada@but.fr")
    kept = journal.read().exercise(DRAWN).answer
    assert [item["kind"] for item in kept["objects"]] == ["Pod"]
    assert "status" not in kept["objects"][0] and "nodeName" not in kept["objects"][0]["spec"]

    # The same page under another name: its values are not that student's.
    text = honest.read_text("utf-8").replace("Ada Lovelace", "Alan Turing")
    (folder / "alan.html").write_text(text, "utf-8")

    before = set(cluster.namespaces())
    book = grader.grade(folder, cluster=cluster, progress=Silent(), only=[DRAWN, WRITTEN])
    ada, alan = book.students
    assert [mark.passed for mark in ada.marks.values()] == [True, True], ada
    assert book.grade(ada) == 20
    assert ada.remarks == ("la page ne vient d’aucune copie signée.", *ada.remarks[1:])
    assert not alan.marks[DRAWN].passed and alan.marks[DRAWN].claimed
    assert alan.marks[WRITTEN].passed
    assert any("modifiée" in remark for remark in alan.remarks)
    assert any("même réponse, à la lettre, que Ada Lovelace" in remark for remark in alan.remarks)
    assert any("pas constaté" in remark for remark in alan.remarks)
    left = set(cluster.namespaces()) - before
    assert not [name for name in left if "correction" not in name and "manifeste-casse" not in name]
