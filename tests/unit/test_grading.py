"""What the teacher does: draw values, sign a copy, read hand-ins that were tampered with, write marks for Moodle."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from k8s_helpers import _paths, exercises, journal
from k8s_helpers._errors import ResourceError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Cluster
from k8s_helpers.exercises import guard, marking, parameters
from k8s_helpers.exercises.catalogue import load
from k8s_helpers.exercises.finding import Criterion, Finding, graded
from k8s_helpers.exercises.grading import copies, grader, hand_ins, signing, snapshot
from k8s_helpers.exercises.grading.gradebook import (
    MOODLE_HEADS,
    AnswerMark,
    Gradebook,
    GradedHandIn,
)
from k8s_helpers.exercises.grading.hand_ins import HandIn
from k8s_helpers.kube.image_names import ImageNames

VALUES = "14-disponibilite"
NO_CLUSTER = cast(Cluster, None)
DRAWN = [name for name, exercise in exercises.exercises().items() if exercise.values]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(signing, "key_file", lambda: tmp_path / "enseignant" / "signature.pem")
    yield tmp_path


# --- values drawn for a student


def test_a_name_draws_the_same_everywhere_and_nobody_draws_the_first() -> None:
    asked = {"port": {"from": 8100, "to": 8199}, "nom": {"among": ["a", "b", "c"]}}
    assert parameters.draw(asked, "x") == {"port": "8100", "nom": "a"}
    zoe = parameters.draw(asked, "x", "Zoé  MARTIN", "s")
    assert zoe == parameters.draw(asked, "x", "zoe martin", "s")
    others = {parameters.draw(asked, "x", f"élève {n}", "s")["port"] for n in range(60)}
    assert len(others) > 30 and all(8100 <= int(port) <= 8199 for port in others)
    assert zoe != parameters.draw(asked, "x", "Zoé Martin", "another copy")


def test_a_mark_that_names_no_parameter_stays() -> None:
    assert parameters.fill("moi@ici.fr @port@ @autre@", {"port": "1"}) == "moi@ici.fr 1 @autre@"


def test_enough_exercises_are_drawn_and_none_leaves_a_mark() -> None:
    assert len(DRAWN) >= 5
    for name in DRAWN:
        one, two = load(name, "Ada Lovelace", "s"), load(name, "Alan Turing", "s")
        assert one.values != two.values, name
        for drawn in (one, two):
            texts = [drawn.text(file) for file in drawn.folder.rglob("*") if file.is_file()]
            declared = "|".join(drawn.values)
            assert not [text for text in texts if re.search(f"@({declared})@", text)]
            assert not parameters.MARK.search(drawn.statement)


def test_who_works_here_is_noted(tmp_path: Path) -> None:
    name = DRAWN[0]
    before = load(name).values
    assert "Bonjour Ada Lovelace" in repr(exercises.student("  Ada   Lovelace "))
    assert journal.read().student == "Ada Lovelace"
    assert load(name).values == load(name, "Ada Lovelace").values
    assert load(name, "").values == before
    for odd in ("", "  ", "x" * 81, cast(str, None)):
        with pytest.raises(UsageError, match="nom"):
            exercises.student(odd)


# --- the teacher's key


def test_what_is_signed_is_recognised_and_nothing_else(tmp_path: Path) -> None:
    assert signing.teacher_key() is None
    key = signing.teacher_key(make=True)
    assert key is not None
    assert stat.S_IMODE(signing.key_file().stat().st_mode) == 0o600
    text = signing.sign(key, {"a": 1, "b": "é"})
    again = signing.teacher_key()
    assert again is not None and signing.is_signed(again, {"b": "é", "a": 1}, text)
    for value, signature in (({"a": 2, "b": "é"}, text), ({"a": 1, "b": "é"}, "x"), ({}, None)):
        assert not signing.is_signed(again, value, signature)


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    signing.teacher_key(make=True)
    signing.key_file().write_text("oups")
    with pytest.raises(ResourceError, match="Ed25519"):
        signing.teacher_key(make=True)
    assert signing.key_file().read_text() == "oups"


# --- the students' copy


@pytest.fixture(scope="module")
def copy(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, copies.StudentCopy, Path]]:
    folder = tmp_path_factory.mktemp("copie")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "key_file", lambda: folder / "cle" / "signature.pem")
        yield (
            folder / "cours",
            copies.student_copy(folder / "cours"),
            folder / "cle" / "signature.pem",
        )


def test_a_copy_has_no_answers(copy: tuple[Path, copies.StudentCopy, Path]) -> None:
    folder, made, key = copy
    assert made.exercises == len(exercises.exercises()) and made.hints > 50
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert not [name for name in names if re.search(r"exercises/[^/]+/(solution|wrong)", name)]
    assert {"docs/projet.md", "docs/enseigner.md", "tests", ".git", ".venv"}.isdisjoint(names)
    assert {
        "Makefile",
        "README.md",
        "notebooks/00_accueil.ipynb",
        "embedded/pyproject.toml",
    } <= names
    assert key.read_text() not in "".join(
        file.read_text("utf-8", "replace") for file in (folder / "exercises").rglob("*.*")
    )


def test_a_copy_lacks_the_last_hint_of_each_list(
    copy: tuple[Path, copies.StudentCopy, Path],
) -> None:
    folder, _, _ = copy
    for name, exercise in exercises.exercises().items():
        plain = yaml.safe_load((folder / "exercises" / name / "exercise.yaml").read_text("utf-8"))
        own = yaml.safe_load((exercise.folder / "exercise.yaml").read_text("utf-8"))
        for code, hints in own["hints"].items():
            assert plain["hints"][code] == (hints[:-1] if len(hints) > 1 else hints)
        assert plain["wrong"] == {} and "unmet" not in plain
        assert plain["statement"] == own["statement"]


def test_a_copy_has_the_statements_that_were_signed(
    copy: tuple[Path, copies.StudentCopy, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, key = copy
    signed = parameters.read_copy(folder)
    assert signed is not None
    for name, exercise in exercises.exercises().items():
        there = replace(exercise, folder=folder / "exercises" / name)
        assert copies.digest(there) == signed["statements"][name], name
    monkeypatch.setattr(signing, "key_file", lambda: key)
    assert copies.is_ours(signed)
    assert not copies.is_ours({**signed, "seed": "another"})
    monkeypatch.setattr(signing, "key_file", lambda: key.parent / "other.pem")
    assert not copies.is_ours(signed)
    signing.teacher_key(make=True)
    assert not copies.is_ours(signed)


def test_a_copy_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "plein").mkdir()
    (tmp_path / "plein" / "x").write_text("mien")
    for place in (
        tmp_path / "plein",
        tmp_path / "plein" / "x",
        _paths.COURSE / "exercises" / "ici",
    ):
        with pytest.raises(UsageError, match="copie du cours"):
            copies.student_copy(place)


# --- hand-ins


def _hand_in(folder: Path, name: str = "Zoé", answer: dict[str, Any] | None = None) -> Path:
    marking.check(VALUES, answer or load(VALUES).solution()[0])
    return exercises.progress().save(folder / f"{name}.html", name, email="zoe@but.fr")


def _grade(folder: Path) -> Gradebook:
    return grader.grade(folder, cluster=NO_CLUSTER, progress=Silent(), only=[VALUES])


def _edit(page: Path, old: str, new: str) -> None:
    text = page.read_text("utf-8")
    assert old in text
    page.write_text(text.replace(old, new), "utf-8")


def test_an_answer_is_kept_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "rendus"
    _hand_in(folder)
    (student,) = _grade(folder).students
    assert student.marks[VALUES].passed and student.hand_in.sealed
    assert student.remarks == ("la page ne vient d’aucune copie signée.",)


def test_the_last_answer_that_passed_is_kept(tmp_path: Path) -> None:
    (right,) = load(VALUES).solution()
    marking.check(VALUES, right)
    marking.check(VALUES, {**right, next(iter(right)): 0})
    assert journal.read().exercise(VALUES).answer == [right]


def test_a_score_that_was_changed_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "rendus"
    (right,) = load(VALUES).solution()
    page = _hand_in(folder, answer={**right, next(iter(right)): 0})
    _edit(page, '"attempts": 1, "passed_at": null', '"attempts": 1, "passed_at": "2026-01-01"')
    (student,) = _grade(folder).students
    assert not student.marks[VALUES].passed and not student.marks[VALUES].judged
    assert any("modifiée" in remark for remark in student.remarks)
    assert any("pas constaté" in remark for remark in student.remarks)


def test_an_answer_that_was_changed_is_found_and_the_cluster_decides(tmp_path: Path) -> None:
    folder = tmp_path / "rendus"
    page = _hand_in(folder)
    key, value = next(iter(load(VALUES).solution()[0].items()))
    _edit(page, f'"{key}": {value}', f'"{key}": 1.5')
    (student,) = _grade(folder).students
    assert not student.marks[VALUES].passed and student.marks[VALUES].claimed
    assert any("modifiée" in remark for remark in student.remarks)


@pytest.mark.parametrize("forged", [True, False])
def test_statements_of_another_copy_or_key_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forged: bool
) -> None:
    key = signing.teacher_key(make=True)
    assert key is not None
    about = {"id": "a", "seed": "s", "statements": {VALUES: copies.digest(load(VALUES))}}
    ours = {**about, "signature": signing.sign(key, about)}
    monkeypatch.setattr(copies, "current", lambda: {**ours, "seed": "t"} if forged else ours)
    page = _hand_in(tmp_path / "rendus")
    read = hand_ins.read(page, "x")
    remarks = grader._remarks(read, {"id": "b"})
    assert any("pas signés par votre clé" in remark for remark in remarks) == forged
    assert any("autre copie" in remark for remark in remarks) != forged
    changed = replace(read, statements={VALUES: "autre"})
    assert (
        any("énoncé ou contrôle modifié" in one for one in grader._remarks(changed, None)) != forged
    )
    assert forged or grader._remarks(read, ours) == ()


def test_what_is_truncated_or_no_hand_in_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "rendus"
    page = _hand_in(folder)
    text = page.read_text("utf-8")
    (folder / "tronque.html").write_text(text[: text.index(VALUES) + 200], "utf-8")
    (folder / "photo.html").write_text("<p>vacances</p>")
    book = _grade(folder)
    assert len(book.students) == 1
    assert "tronquée" in book.unreadable["tronque.html"]
    assert "pas une page de progression" in book.unreadable["photo.html"]


@pytest.mark.parametrize(
    "answer", [None, 3, "texte", [], [[]], {"objects": 3}, ["x" * 30_000], [{"clé": 1}], {"a": 1}]
)
def test_answers_of_odd_shapes_get_no_mark_and_no_traceback(answer: object) -> None:
    page = HandIn("x.html", "Zoé", claimed={VALUES: True}, answers={VALUES: answer})
    mark = grader._Tries(NO_CLUSTER, Silent()).mark(page, VALUES)
    assert mark is not None and not mark.passed


def test_an_answer_that_breaks_its_check_costs_nobody_else_a_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> Finding:
        raise KeyError("spec")

    monkeypatch.setattr(marking, "judge_answer", broken)
    page = HandIn("x.html", "Zoé", claimed={VALUES: True}, answers={VALUES: [{}]})
    mark = grader._Tries(NO_CLUSTER, Silent()).mark(page, VALUES)
    assert mark is not None and not mark.judged and "KeyError" in mark.text


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "x"},
    "spec": {"containers": [{"name": "x", "image": "atelier:v1"}]},
}


def _with(**changed: Any) -> dict[str, Any]:
    return {**POD, "spec": {**cast(dict[str, Any], POD["spec"]), **changed}}


def _job(pod: dict[str, Any]) -> dict[str, Any]:
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": pod["spec"]}}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": spec}


ROOT_DISK = [{"name": "d", "hostPath": {"path": "/"}}]
PRIVILEGED = {"name": "x", "image": "atelier:v1", "securityContext": {"privileged": True}}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (3, "pas un objet"),
        ({"kind": "Pod"}, "pas un objet"),
        ({**POD, "kind": "ClusterRoleBinding"}, "pas admis"),
        ({**POD, "kind": "Namespace"}, "pas admis"),
        ({**POD, "apiVersion": "apps/v1"}, "pas admis"),
        ({**POD, "metadata": {"name": "x", "namespace": "kube-system"}}, "namespace"),
        (_with(hostNetwork=True), "hôte"),
        (_with(volumes=ROOT_DISK), "hôte"),
        (_job(_with(volumes=ROOT_DISK)), "hôte"),
        (_job(_with(containers=[PRIVILEGED])), "privilégié"),
        (_job(_with(containers=[{"name": "x", "image": "bitcoin:latest"}])), "bitcoin"),
    ],
)
def test_what_a_hand_in_may_not_hold_is_refused(item: object, words: str) -> None:
    with pytest.raises(guard.RefusedAnswerError, match=words):
        guard.read_objects(load("17-projet"), [item])


def test_a_pod_that_looked_around_is_left_out_and_the_rest_is_put_in_order() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    look = _with(containers=[{"name": "x", "image": "busybox"}])
    sound = guard.read_objects(load("17-projet"), [POD, look, secret])
    assert [item["kind"] for item in sound] == ["Secret", "Pod"]
    with pytest.raises(guard.RefusedAnswerError, match="démesurée"):
        guard.read_objects(load("17-projet"), [POD] * 1000)


def test_a_snapshot_holds_what_was_written_and_nothing_of_the_cluster() -> None:
    service = {
        "metadata": {"name": "web", "uid": "u", "namespace": "n", "annotations": {"mien": "1"}},
        "spec": {"clusterIP": "10.0.0.1", "clusterIPs": [], "ports": [{"port": 80, "nodePort": 3}]},
        "status": {},
    }
    bare = snapshot.bare(service, "Service")
    assert bare == {
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {"mien": "1"}},
        "spec": {"ports": [{"port": 80}]},
    }
    assert "uid" in service["metadata"], "the original stays"


# --- marks


def _book(*students: GradedHandIn) -> Gradebook:
    return Gradebook(students, (load(VALUES), load("17-projet")), {"photo.html": "illisible"})


def test_moodle_gets_one_line_a_student_and_no_formula() -> None:
    right = AnswerMark(VALUES, True, None, True, "bien")
    project = AnswerMark("17-projet", False, (15, 20), False, "15 points sur 20")
    odd = HandIn("a.html", '=HYPERLINK("http://x")', email="@evil", claimed={VALUES: True})
    text = _book(
        GradedHandIn(odd, {VALUES: right, "17-projet": project}, ("à voir",)),
        GradedHandIn(HandIn("b.html", "Zoé, née Martin"), {}),
    ).to_moodle_csv()
    head, first, second = csv.reader(io.StringIO(text))
    assert tuple(head) == MOODLE_HEADS
    assert first[:3] == ["'@evil", '\'=HYPERLINK("http://x")', "20.00"] and first[4] == "15.00"
    assert second[1:3] == ["Zoé, née Martin", "0.00"] and second[4:] == ["", ""]


def test_the_marks_page_says_what_is_to_be_looked_at() -> None:
    wrong = AnswerMark(VALUES, False, None, True, "non < oui")
    book = _book(GradedHandIn(HandIn("a.html", "<b>Zoé"), {VALUES: wrong}, ("à voir",)))
    page = book.to_html()
    assert "&lt;b&gt;Zoé" in page and "<b>" not in page
    assert "à voir" in page and "non &lt; oui" in page and "photo.html" in page
    assert book.grade(book.students[0]) == 0 and "0.00/20" in str(book)
    assert json.loads(json.dumps(book.to_plain()))["students"][0]["grade"] == 0


def test_a_project_s_points_are_those_of_the_criteria_that_are_met() -> None:
    parts = [Criterion("a", "A", 3, True, "vu"), Criterion("b", "B", 2, False, "pas vu")]
    finding = graded(parts)
    assert (finding.code, finding.points) == ("b", (3, 5))
    assert graded(parts[:1]).passed
    assert Finding("x", "…").points is None
    page = exercises.Verdict("17-projet", finding)._repr_html_()
    assert "<table>" in page and "3/3" in page and "0/2" in page


def test_the_best_points_and_their_answer_stay() -> None:
    exercise = load("17-projet")

    def noted(earned: bool, kept: object) -> None:
        finding = graded([Criterion("a", "A", 3, earned, ""), Criterion("b", "B", 2, False, "")])
        journal.change(lambda before: marking._noted(before, exercise, finding, kept))

    noted(True, {"objects": [1]})
    noted(False, None)
    entry = journal.read().exercise("17-projet")
    assert (entry.points, entry.answer, entry.attempts) == (3, {"objects": [1]}, 2)
    assert "3\u00a0points" in repr(exercises.progress())


def test_a_cluster_s_prefix_goes_from_images_wherever_pods_are_described() -> None:
    pod = {"containers": [{"name": "a", "image": "registry:5000/vitrine:v1"}]}
    template = {"spec": {"template": {"spec": pod}}}
    cron = {"metadata": {"name": "nuit"}, "spec": {"jobTemplate": template}}
    made = snapshot.bare(cron, "CronJob", ImageNames("registry:5000/"))
    (container,) = made["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "vitrine:v1"
