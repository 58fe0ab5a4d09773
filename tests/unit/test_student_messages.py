"""What a student reads after a slip: the true cause, in French, and advice that works when it is followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import exercises, journal, predict
from k8s_helpers._errors import ResourceError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import applying
from k8s_helpers.exercises import guard, marking
from k8s_helpers.exercises.finding import Finding, Verdict
from k8s_helpers.journal import ExerciseEntry, Journal
from k8s_helpers.kube import refusals as _refusals
from k8s_helpers.panels import panel
from k8s_helpers.providers.embedded import EmbeddedProvider

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(tmp_path / "progress.json"))


@pytest.mark.parametrize("said", ["5,5", " 5,5 ", "5.5"])
def test_a_number_in_quotes_is_told_as_python_writes_it(said: str) -> None:
    slide, question = next(
        (slide, name)
        for slide, asked in __import__("k8s_helpers._questions", fromlist=["questions"])
        .questions()
        .items()
        for name, one in asked.items()
        if not one.choices
    )
    with pytest.raises(UsageError) as caught:
        predict(slide, **{question: said})
    assert caught.value.advice.endswith(": 5.5.")


def test_a_decimal_slider_reads_and_shows_the_comma() -> None:
    slider = panel.decimal("Démarrage (s)", 2.5, 0.0, 60.0, 0.5)
    assert slider.label == "2,5" and slider.value == 2.5
    assert panel.decimal("Démarrage (s)", 2.7, 0.0, 60.0, 0.5).value == 2.7


def test_a_page_of_progress_says_where_it_is(tmp_path: Path) -> None:
    page = exercises.progress().save(tmp_path / "rendu")
    assert page.name == "rendu.html" and page.is_file()
    assert "PosixPath" not in repr(page) and str(page) in repr(page)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_student_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="nom de l’étudiant est vide"):
        exercises.progress().save(tmp_path / "a.html", name)
    assert not list(tmp_path.glob("a*"))


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "fichier").write_text("x")
    with pytest.raises(ResourceError, match="Écrire votre progression"):
        exercises.progress().save(tmp_path / "fichier" / "a.html")
    with pytest.raises(UsageError, match="nom de fichier"):
        exercises.progress().save(tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("environ", "env"), ("Image", "image"), ("contaners", "containers"), ("xyz", None)],
)
def test_the_field_that_was_meant(name: str, meant: str | None) -> None:
    known = ["args", "command", "containers", "env", "envFrom", "image", "name"]
    assert applying._nearest(name, known) == meant


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
            "« - » ou « . »",
        ),
        ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters", "63"),
        ("a DNS-1035 label must consist of lower case alphanumeric", "commence par une lettre"),
    ],
)
def test_the_rule_of_a_name_is_told_in_french(rule: str, words: str) -> None:
    status = {
        "message": f'Namespace "Mon_Espace" is invalid: metadata.name: {rule}',
        "reason": "Invalid",
    }
    error = _refusals.explain("POST", "/api/v1/namespaces", 422, status)
    assert words in error.advice and "RFC" not in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (POD, "n’a pas d’image ; ajoutez « image: vitrine:v1 »"),
        (POD.replace("kind: Pod", "kind: pod"), "écrivez « kind: Pod » ; les majuscules comptent"),
    ],
)
def test_an_answer_with_a_slip(text: str, words: str) -> None:
    exercise = exercises.load("00-premier-pod")
    with pytest.raises(guard.RefusedAnswerError, match=words):
        guard.read(exercise, [text])


def test_after_down_nobody_promises_data() -> None:
    stopped = EmbeddedProvider("jamais-vu").stopped()
    assert stopped is not None
    assert "avec ses données" not in str(stopped) and "connect()" in stopped.advice


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (ExerciseEntry(1, 0, "2026-01-01T10:00:00+00:00", None), "réussi"),
        (ExerciseEntry(2, 0, "2026-01-01T10:00:00+00:00", "incomplet"), "déjà réussi"),
        (ExerciseEntry(1, 0, None, "incomplet"), "pas d’indice pour ce que"),
        (ExerciseEntry(1, 1, None, "arret"), "Indice 2"),
        (ExerciseEntry(), "Lancez d’abord"),
    ],
)
def test_a_hint_judges_nothing(entry: ExerciseEntry, words: str) -> None:
    journal.change(lambda before: Journal().with_exercise("09-zero-perte", entry))
    shown = marking.hint("09-zero-perte")
    for told in (repr(shown), shown._repr_html_()):
        assert words in told.replace("\xa0", " ")
        assert "Pas encore" not in told and "✘" not in told


def test_manifests_in_verdicts_keep_their_spaces() -> None:
    hint = 'Sous le conteneur :\nenv:\n  - name: MESSAGE\n    value: "Bonjour"\nPuis relancez.'
    shown = Verdict("x", Finding("m", "Rien ne va.\nEncore."), hint, 1, 2)._repr_html_()
    assert "env:\n  - name: MESSAGE\n    value: &quot;Bonjour&quot;</pre>" in shown
    assert "<br>Encore." in shown and shown.count("<pre") == 1
    assert "Puis relancez." in shown.split("</pre>")[1]


def test_building_an_image_leaves_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from k8s_helpers import _progress

    class Noting(Silent):
        over = False

        def done(self, text: str | None = None) -> None:
            self.over = True

    noting = Noting()
    monkeypatch.setattr(_progress, "reporter", lambda: noting)
    with _progress.reporting(None) as shown:
        shown.step("Construction de l’image")
    assert noting.over
    with _progress.reporting(Noting()) as given:
        pass
    assert isinstance(given, Noting) and not given.over, "who gave it ends it"
