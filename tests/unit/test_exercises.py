"""Exercises as data, and answers that never reach the cluster: each gets a French sentence, never a traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from k8s_helpers import exercises, journal
from k8s_helpers._errors import ImageError, PlatformError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Cluster
from k8s_helpers.exercises import guard, judging, marking
from k8s_helpers.exercises.bench import Bench
from k8s_helpers.exercises.catalogue import WORKSPACE_HINTS
from k8s_helpers.exercises.finding import Finding, Verdict
from k8s_helpers.exercises.workspace import StartedExercise
from k8s_helpers.kube.refusals import explain
from k8s_helpers.providers.existing import ExistingProvider

ALL = exercises.exercises()
SOLUTION = exercises.load("09-zero-perte").solution()[0]


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    chosen = tmp_path / "progress.json"
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(chosen))
    yield chosen


@pytest.mark.parametrize("name", ALL)
def test_an_exercise_is_whole(name: str) -> None:
    exercise = exercises.load(name)
    assert exercise.statement and exercise.title
    assert len(exercise.wrong) >= 2
    assert set(exercise.wrong.values()) <= set(exercise.hints)
    assert {path.name for path in (exercise.folder / "wrong").iterdir()} == set(exercise.wrong)
    if exercise.workspace:
        _require_workspace(exercise)
        return
    answers = [(exercise.solution(), set()), (exercise.starter(), set(exercise.hints))]
    answers += [(exercise.wrong_answer(name), {code}) for name, code in exercise.wrong.items()]
    for answer, refusals in answers:
        if exercise.fields:
            _require_whole(exercise, answer)
            continue
        try:
            assert guard.read(exercise, answer).keys() == set(exercise.steps)
        except guard.RefusedAnswerError as refused:  # what some exercises are about
            assert refused.finding.code in refusals, refused
    assert exercise.starter() != exercise.solution()


def _require_workspace(exercise: exercises.Exercise) -> None:
    """What is read and typed is there; an incident has symptoms to show, and three wrong repairs."""
    answers = ["solution", *(f"wrong/{name}" for name in exercise.wrong)]
    folders = [exercise.folder / answer for answer in answers]
    assert all((folder / "commands.sh").read_text("utf-8").strip() for folder in folders)
    texts = [
        "".join(path.read_text("utf-8") for path in sorted(folder.iterdir())) for folder in folders
    ]
    assert len(set(texts)) == len(texts)
    control = judging.control(exercise)
    assert callable(control.check)
    broken = bool(exercise.given()) or hasattr(control, "set_up")
    assert not broken or callable(control.symptoms)
    assert not exercise.name.startswith("16-") or len(exercise.wrong) >= 3
    assert set(exercise.hints) > set(WORKSPACE_HINTS)


def _require_whole(exercise: exercises.Exercise, answer: tuple[Any, ...]) -> None:
    (values,) = answer
    assert values.keys() == exercise.fields.keys()
    for key, field in exercise.fields.items():
        assert values[key] is ... or values[key] in field.choices or not field.choices


VALUES = [name for name, exercise in ALL.items() if exercise.fields]


@pytest.mark.parametrize("name", VALUES)
def test_an_exercise_made_of_values_needs_no_cluster(name: str) -> None:
    exercise = exercises.load(name)
    assert not marking.check(name, *exercise.starter())
    assert marking.check(name, *exercise.solution()).passed
    for mistake, code in exercise.wrong.items():
        verdict = marking.check(name, *exercise.wrong_answer(mistake))
        assert verdict.finding.code == code, verdict
        assert verdict.hint == exercise.hints[code][0]


@pytest.mark.parametrize("name", VALUES)
def test_values_of_odd_shapes_get_a_sentence(name: str) -> None:
    exercise = exercises.load(name)
    (solution,) = exercise.solution()
    key = next(iter(solution))
    for odd in ([], ["x"], [{}], [{**solution, "autre": 1}], [solution, solution], [None]):
        assert marking.check(name, *odd).finding.code in ("incomplet", "vide")
    for value in (..., None):
        assert marking.check(name, {**solution, key: value}).finding.code == "vide"
    for value in ([], {"x": 1}, "n’importe quoi", float("nan"), float("inf"), 10**400, 3j, True):
        assert marking.check(name, {**solution, key: value}).finding.code == "interdit"


def _refusal(*answer: object) -> Finding:
    with pytest.raises(guard.RefusedAnswerError) as caught:
        guard.read(exercises.load("09-zero-perte"), answer)
    return caught.value.finding


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ("", "vide", "est vide"),
        ("   \n", "vide", "est vide"),
        (None, "vide", "encore à écrire"),
        (..., "vide", "encore à écrire"),
        (42, "vide", "int"),
        ("x" * 30_000, "interdit", "20000"),
        ("kind: [", "yaml", "ne se lit pas"),
        ("# rien", "yaml", "ne se lit pas"),
        ("/etc/passwd.yaml", "yaml", "ne se lit pas"),
        (SOLUTION.replace("kind: Service", "kind: Namespace"), "interdit", "Namespace/vitrine"),
        (SOLUTION.replace("kind: Service", "kind: ClusterRoleBinding"), "interdit", "rien d’autre"),
        (
            SOLUTION.replace(
                "  name: vitrine\nspec", "  name: vitrine\n  namespace: kube-system\nspec"
            ),
            "interdit",
            "namespace",
        ),
        (SOLUTION.replace("replicas: 3", "replicas: 1000"), "interdit", "1000"),
        (SOLUTION.replace("replicas: 3", 'replicas: "3"'), "interdit", "sans guillemets"),
        (SOLUTION.replace("replicas: 3", "replicas: -3"), "interdit", "nombre entier"),
        (
            SOLUTION.replace("  name: vitrine\nspec", "  name: vitrine\n  finalizers: [a/b]\nspec"),
            "interdit",
            "finalizers",
        ),
        (SOLUTION.replace("vitrine:v1", "bitcoin-miner:latest"), "interdit", "bitcoin-miner"),
        (
            SOLUTION.replace("      containers:", "      hostNetwork: true\n      containers:"),
            "interdit",
            "hôte",
        ),
        (
            SOLUTION.replace(
                "      containers:",
                "      volumes: [{name: x, hostPath: {path: /}}]\n      containers:",
            ),
            "interdit",
            "hôte",
        ),
    ],
)
def test_what_cannot_be_an_answer_is_refused_in_french(
    answer: object, code: str, words: str
) -> None:
    finding = _refusal(answer)
    assert finding.code == code
    assert words in finding.text


STATEFUL = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: base}
spec:
  replicas: 2
  template:
    spec:
      containers: [{name: base, image: "carnet:v1"}]
      volumes: [{name: opt, hostPath: {path: /opt}}]
"""


def test_an_exercise_names_the_programs_and_the_folders_that_pods_may_have() -> None:
    exercise = replace(
        exercises.load("09-budget"),
        kinds=frozenset({"StatefulSet"}),
        apps=("carnet",),
        host_paths=frozenset({"/opt"}),
    )
    for same in (STATEFUL, STATEFUL.replace("/opt", "/opt/"), STATEFUL.replace("2", "null")):
        assert guard.read(exercise, (same,))["manifeste"]
    for other, words in (
        (STATEFUL.replace("carnet:v1", "vitrine:v1"), "carnet:v1 ou carnet:v2"),
        (STATEFUL.replace("/opt", "/"), "hôte"),
        (STATEFUL.replace("{path: /opt}", "/opt"), "hôte"),
        (STATEFUL.replace("replicas: 2", "replicas: 900"), "900"),
    ):
        with pytest.raises(guard.RefusedAnswerError, match=words):
            guard.read(exercise, (other,))


def test_too_few_or_too_many_manifests_are_told() -> None:
    assert _refusal().code == "incomplet"
    assert _refusal(SOLUTION, SOLUTION).code == "incomplet"


def test_a_manifest_of_odd_shapes_reaches_the_api_server_not_a_traceback() -> None:
    """What is odd but harmless is the API server's to refuse: its message names the field."""
    exercise = exercises.load("09-zero-perte")
    for shape in ("spec: 3", "spec: {template: []}", "spec: {template: {spec: {containers: [1]}}}"):
        text = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x}}\n{shape}\n"
        (manifest,) = guard.read(exercise, (text,))["manifeste"]
        assert manifest.object == yaml.safe_load(text)


def test_check_answers_without_any_cluster_where_the_answer_is_no_answer() -> None:
    verdict = marking.check("09-zero-perte", "")
    assert not verdict and verdict.finding.code == "vide"
    assert journal.read().exercise("09-zero-perte").attempts == 1


class _Anything:
    """A cluster, and a namespace of it, that take whatever they are told."""

    name = asked = "exercice"
    api = None
    provider = SimpleNamespace(kind="embedded", enrolment=None)

    def namespace(self, name: str) -> _Anything:
        return self

    def create(self, *, passing: bool) -> None:
        assert passing, "it goes even where this process is killed"

    def delete(self, timeout_s: float = 0.0) -> None:
        pass

    @contextlib.contextmanager
    def sentinel(self) -> Iterator[_Anything]:
        yield self

    def check(self) -> None:
        pass

    def look(self) -> None:
        pass

    def apply(self, changed: object) -> None:
        pass

    def wait(self, *_: object) -> dict[str, Any]:
        return {"metadata": {"name": "limite"}, "spec": {"hard": {"pods": "5"}}}


def test_an_image_that_the_cluster_lacks_is_not_the_answers_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pull(*_: object) -> Finding:
        raise ImageError("Télécharger l’image traefik", "hors ligne", "Nommez une image locale.")

    assert not marking.check("09-zero-perte", "")
    before = journal.read().exercise("09-zero-perte")
    monkeypatch.setattr(judging, "run", pull)
    cluster = cast(Cluster, _Anything())
    verdict = marking.check("09-zero-perte", SOLUTION, cluster=cluster)
    assert not verdict.passed
    assert "il manque une image au cluster" in verdict.finding.text
    assert "Nommez une image locale." in verdict.finding.text, "what to do"
    assert "refuse" not in verdict.finding.text
    assert journal.read().exercise("09-zero-perte") == before, "nothing was judged"


def test_an_unknown_exercise_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="09-zero-perte"):
        marking.check("09-zero-pertes", SOLUTION)


def test_hints_come_one_after_the_other_and_start_again_with_another_mistake() -> None:
    name, hints = "09-zero-perte", exercises.load("09-zero-perte").hints

    def found(code: str | None) -> Verdict:
        exercise, finding = exercises.load(name), Finding(code, "…")
        after = journal.change(lambda before: marking._noted(before, exercise, finding))
        return marking._verdict(exercise, finding, after.exercise(name).hints)

    assert "Lancez d’abord" in repr(exercises.hint(name))
    assert found("arret").hint == hints["arret"][0]
    assert exercises.hint(name).hint == hints["arret"][1]
    assert found("arret").hint == hints["arret"][1]  # the same mistake again: not back to the first
    assert (
        exercises.hint(name).hint == exercises.hint(name).hint == hints["arret"][2]
    )  # there is no fourth
    assert found("demarrage").hint == hints["demarrage"][0]
    assert found(None).hint is None
    assert "réussi" in repr(exercises.hint(name))


def test_a_verdict_is_readable_and_escapes_what_it_tells() -> None:
    verdict = Verdict("09-budget", Finding("x", "a < b"), "essayez <b>", 1, 2)
    page = verdict._repr_html_()
    assert "a &lt; b" in page and "&lt;b&gt;" in page and "Indice 1 sur 2" in page
    assert not verdict and bool(Verdict("09-budget", Finding(None, "ok")))


def test_a_terminal_is_given_a_terminals_commands() -> None:
    verdict = Verdict("16-boutique", Finding("x", "Rien."), "Cherchez.", 1, 2)
    assert "hint('16-boutique')" in repr(verdict)
    assert "k8s-lab exercise hint 16-boutique" in verdict.in_terminal()
    begun = StartedExercise(exercises.load("16-boutique"), "exercice-16-boutique")
    assert "« k8s-lab exercise check 16-boutique »" in begun.in_terminal().replace("\xa0", " ")
    for shown in (verdict.in_terminal(), begun.in_terminal()):
        assert "hint(" not in shown and "check(" not in shown


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/namespaces/e/pods/boutique-7f695f5dc6-2ng2f/exec", "en-cours"),
        ("/api/v1/namespaces/e/pods/temoin/exec", "disparu"),
        ("/apis/apps/v1/namespaces/e/deployments/boutique", "disparu"),
    ],
)
def test_a_pod_that_an_update_took_away_is_no_lost_object(
    monkeypatch: pytest.MonkeyPatch, path: str, code: str
) -> None:
    def gone(*_: object) -> Finding:
        raise explain("POST", path, 404, {"message": "not found"})

    monkeypatch.setattr(judging, "run", gone)
    exercise = exercises.load("16-page-blanche")
    assert judging.judge(exercise, cast(Bench, None)).code == code


def test_progress_counts_what_is_passed(tmp_path: Path) -> None:
    passed = journal.ExerciseEntry(attempts=2, passed_at="2026-01-31T10:00:00+01:00")
    journal.change(lambda before: before.with_exercise("09-budget", passed))
    overview = exercises.progress()
    assert overview.passed == 1 and len(overview.rows) == len(ALL)
    assert "réussi le 31/01/2026" in repr(overview)
    page = overview.save(tmp_path / "rendu" / "progression.html").read_text("utf-8")
    assert "31/01/2026" in page and '<html lang="fr">' in page


def test_an_answer_s_fault_shows_a_line_that_the_student_wrote() -> None:
    text = _refusal("\n\nkind: [\n").text
    assert "ligne 3" in text and "jamais fermé" in text
    assert "# fin" not in text


@dataclass
class _Shared:
    """A cluster that is somebody else's, without Ingress."""

    provider: ExistingProvider


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("04-chemins", "Ingress"),
        ("04-https", "Ingress"),
        ("07-exposer", "Ingress"),
        ("17-projet", "Ingress"),
        ("02-affiche", "registre"),
        ("04-route", "administrateur"),
        ("13-reparer", "hostPath"),
    ],
)
def test_what_a_shared_cluster_cannot_give_is_said_before_anything_starts(
    name: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("K8S_HELPERS_INGRESS_URL", raising=False)
    with pytest.raises(PlatformError, match=reason):
        exercises.load(name).require(cast(Cluster, _Shared(ExistingProvider("partage"))))


def test_the_address_of_a_shared_ingress_controller_is_given_by_its_scheme(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("K8S_HELPERS_INGRESS_URL", "https://10.0.0.1:8443 http://10.0.0.1:8080")
    provider = ExistingProvider("partage")
    exercises.load("04-chemins").require(cast(Cluster, _Shared(provider)))
    assert provider.ingress_url(Silent()) == "http://10.0.0.1:8080"
    assert provider.ingress_url(Silent(), tls=True) == "https://10.0.0.1:8443"
