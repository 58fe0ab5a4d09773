"""A student's page, and the class's table that is made of many."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from k8s_helpers import draw, exercises, journal, predict, quoted
from k8s_helpers._errors import UsageError
from k8s_helpers.cli import call
from k8s_helpers.exercises.grading import hand_ins
from k8s_helpers.exercises.grading.class_report import STUCK_ATTEMPTS, class_report


@pytest.fixture(autouse=True)
def own_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(tmp_path / "progress.json"))


def _page(folder: Path, name: str, passed: str | None = None, tried: str | None = None) -> Path:
    if passed:
        entry = journal.ExerciseEntry(attempts=3, passed_at="2026-01-31T10:00:00+01:00")
        journal.change(lambda before: before.with_exercise(passed, entry))
    if tried:
        journal.change(
            lambda before: before.with_exercise(tried, journal.ExerciseEntry(attempts=1))
        )
    return exercises.progress().save(folder / f"{name}.html", name)


def test_a_page_is_whole_in_itself_and_runs_nothing(tmp_path: Path) -> None:
    predict("4.05", recreate=150)
    chart = draw.survey(quoted("enquete_cncf"))
    page = exercises.progress().save(tmp_path / "a.html", "Zoé <b>", [chart]).read_text("utf-8")
    assert "Progression de Zoé &lt;b&gt;" in page and "150\u00a0requêtes" in page
    assert set(re.findall(r"<script[^>]*>", page)) == {
        '<script type="application/json" id="k8s-lab-progress">'
    }
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert page.count("<img alt=") == 1


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    predict("4.05", recreate=150)
    page = _page(tmp_path, "</script><b>Zoé", passed="09-budget", tried="14-choisir")
    read = hand_ins.read(page, "zoe.html")
    assert read.name == "</script><b>Zoé"
    assert read.claimed == {"09-budget": True, "14-choisir": False}
    assert read.predicted == 1 and read.sealed
    assert read.attempts["09-budget"] == 3


def test_who_is_stuck_and_who_comes_twice_is_said(tmp_path: Path) -> None:
    entry = journal.ExerciseEntry(attempts=STUCK_ATTEMPTS)
    journal.change(lambda before: before.with_exercise("10-instants", entry))
    folder = tmp_path / "rendus"
    for file, name in (("a", "Ana Martin"), ("b", "ana martin"), ("c", "Zoé")):
        exercises.progress().save(folder / f"{file}.html", name)
    report = class_report(folder)
    assert report.duplicates() == ["Ana Martin", "ana martin"]
    assert set(report.stuck().values()) == {("10-instants",)}
    page = report.to_html()
    assert "Qui est bloqué" in page and "Noms en double" in page
    assert re.search(r"fait le \d\d/\d\d/\d{4}", page)
    assert page.count('class="x bad') == 3 and "position: sticky" in page


def test_a_page_shows_a_date_and_what_was_measured_beside_what_was_predicted(
    tmp_path: Path,
) -> None:
    predict("4.05", recreate=150, rolling=3).confront(recreate=386)
    text = (
        exercises.progress().save(tmp_path / "a.html", "Zoé", email="zoe@but.fr").read_text("utf-8")
    )
    assert "prévu 150\u00a0requêtes, mesuré 386\u00a0requêtes" in text
    assert "prévu 3\u00a0requêtes, pas encore mesuré" in text
    assert re.search(r"Page écrite le \d\d/\d\d/\d{4}", text)
    assert "overflow-x: auto" in text and "zoe@but.fr" in text


def test_the_class_s_table_counts_and_escapes(tmp_path: Path) -> None:
    folder = tmp_path / "rendus"
    _page(folder, "Ana")
    _page(folder, "Bob <i>", passed="09-budget")
    report = class_report(folder)
    assert [page.name for page in report.pages] == ["Ana", "Bob <i>"]
    assert report.passed("09-budget") == 1
    assert "Bob &lt;i&gt;" in report.to_html() and "<i>" not in report.to_html()
    assert "2\u00a0pages lues" in str(report)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "pas une page de progression"),
        ("<html><body>autre chose</body></html>", "pas une page de progression"),
        ('<script id="k8s-lab-progress">{"schema": 99}</script>', "autre version"),
        ('<script id="k8s-lab-progress">[1]</script>', "autre version"),
        ('<script id="k8s-lab-progress">{oups</script>', "pas une page de progression"),
    ],
)
def test_what_is_no_page_is_told_and_the_others_count(tmp_path: Path, text: str, why: str) -> None:
    folder = tmp_path / "rendus"
    _page(folder, "Ana")
    (folder / "intrus.html").write_text(text)
    (folder / "dossier.html").mkdir()
    report = class_report(folder)
    assert len(report.pages) == 1
    assert why in report.unreadable["intrus.html"]


def test_odd_values_in_a_page_do_no_harm(tmp_path: Path) -> None:
    odd = {
        "schema": 1,
        "name": None,
        "exercises": {"09-budget": 3, "x": {"attempts": "beaucoup"}},
        "predictions": 7,
    }
    (tmp_path / "odd.html").write_text(f'<script id="k8s-lab-progress">{json.dumps(odd)}</script>')
    read = hand_ins.read(tmp_path / "odd.html", "odd.html")
    assert read.name == "odd" and read.claimed == {} and read.predicted == 0


def test_a_folder_without_pages_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="aucune page"):
        class_report(tmp_path)
    with pytest.raises(UsageError, match="pas un dossier"):
        class_report(tmp_path / "nulle-part")


def test_the_command_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "rendus"
    _page(folder, "Ana", passed="09-budget")
    out = tmp_path / "tableau" / "classe.html"
    assert call(["class-report", str(folder), "--out", str(out)]) == 0
    assert "Ana" in out.read_text("utf-8") and "Ana" in capsys.readouterr().out
    assert call(["class-report", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"]["09-budget"] == 1
    assert call(["class-report", str(tmp_path / "rien")]) != 0
