"""`k8s-lab grade`: each answer of each hand-in is tried on a cluster, by the same checks and guards as in class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._errors import ClusterUnreachableError, K8sHelpersError, UsageError
from ..._progress import Progress
from ...cluster import Cluster
from .. import catalogue, judging, marking, parameters, workspace
from ..catalogue import Exercise
from ..finding import Finding
from . import copies, signing
from .class_report import read_folder
from .gradebook import AnswerMark, Gradebook, GradedHandIn
from .hand_ins import HandIn

NO_ANSWER = "la page dit réussi, et ne contient pas de réponse à essayer."
_SUFFIX = "-correction"


def grade(
    folder: Path,
    *,
    cluster: Cluster,
    progress: Progress,
    only: Sequence[str] = (),
    copy: Path | None = None,
) -> Gradebook:
    """Return the marks of all hand-ins of a folder.

    Parameters
    ----------
    folder : Path
        Where the pages are.
    cluster : Cluster
        On which answers are tried, one after the other.
    only : sequence of str
        Ids of the exercises that count, or beginnings of them ("09"); all otherwise.
    copy : Path, optional
        The students' copy that the hand-ins shall come from.

    Raises
    ------
    UsageError
        No hand-in there, no such exercise, no such copy.
    """
    pages, unreadable = read_folder(folder, "Corriger les rendus")
    counted = _counted(only)
    wanted = _identity(copy) if copy is not None else None
    shared = _same_answers(pages)
    tries = _Tries(cluster, progress)
    students = []
    for page in pages:
        progress.step(f"Rendu de {page.name}")
        marks = {exercise.name: tries.mark(page, exercise.name) for exercise in counted}
        remarks = (*_remarks(page, wanted), *shared.get(page.file, ()))
        given = {name: mark for name, mark in marks.items() if mark is not None}
        lied = [name for name, mark in given.items() if mark.claimed and not mark.passed]
        if lied:
            remarks += (f"la page dit réussi, et ce n’est pas constaté : {', '.join(lied)}.",)
        students.append(GradedHandIn(page, given, remarks))
    return Gradebook(tuple(students), counted, unreadable)


def _counted(only: Sequence[str]) -> tuple[Exercise, ...]:
    known = catalogue.exercises()
    for name in only:
        if not any(exercise.startswith(name) for exercise in known):
            catalogue.load(name)  # raises, and names the nearest
    chosen = [name for name in known if not only or name.startswith(tuple(only))]
    return tuple(known[name] for name in chosen)


def _identity(folder: Path) -> Mapping[str, Any]:
    copy = parameters.read_copy(folder)
    if copy is None or not copies.is_ours(copy):
        raise UsageError(
            f"Corriger des rendus de la copie « {folder} »",
            "ce n’est pas une copie signée par votre clé",
            "Donnez le dossier que « k8s-lab student-copy » a écrit sur cette machine, ou retirez --copy.",
        )
    return copy


def _remarks(page: HandIn, wanted: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return what is odd about a page, whatever its answers are worth."""
    remarks = []
    if not page.sealed:
        remarks.append(
            "la page a été modifiée après avoir été écrite, ou vient d’une version ancienne."
        )
    if page.copy is None:
        remarks.append("la page ne vient d’aucune copie signée.")
    elif not copies.is_ours(page.copy):
        remarks.append("les énoncés de cette page ne sont pas signés par votre clé.")
    else:
        if wanted is not None and page.copy.get("id") != wanted.get("id"):
            remarks.append("la page vient d’une autre copie que celle que vous corrigez.")
        signed = page.copy.get("statements")
        signed = signed if isinstance(signed, dict) else {}
        changed = [
            name
            for name in page.answers
            if name in page.statements and page.statements[name] != signed.get(name)
        ]
        if changed:
            remarks.append(f"énoncé ou contrôle modifié chez l’étudiant : {', '.join(changed)}.")
    if page.student and page.student.casefold() != page.name.casefold():
        remarks.append(f"les valeurs tirées sont celles de « {page.student} ».")
    return tuple(remarks)


def _same_answers(pages: Sequence[HandIn]) -> dict[str, tuple[str, ...]]:
    """Return by file which long answers are, to the letter, another student's too."""
    owners: dict[bytes, list[tuple[HandIn, str]]] = defaultdict(list)
    for page in pages:
        for name, answer in page.answers.items():
            if isinstance(answer, dict) and name in catalogue.exercises():
                owners[signing.canonical({name: answer})].append((page, name))
    found: dict[str, tuple[str, ...]] = {}
    for same in owners.values():
        for page, name in same:
            others = sorted({other.name for other, _ in same if other.file != page.file})
            if others:
                words = f"même réponse, à la lettre, que {', '.join(others)} : {name}."
                found[page.file] = (*found.get(page.file, ()), words)
    return found


def _words(finding: Finding) -> str:
    """Return what was found; of a project, its points and what is not met."""
    missed = [
        f"{item.title} ({item.seen.rstrip('.')})" for item in finding.criteria if not item.met
    ]
    if not finding.points or not missed:
        return finding.text
    return f"{finding.points[0]} points sur {finding.points[1]}. Il manque : {' ; '.join(missed)}."


class _Tries:
    """Tries answers, each different one once."""

    def __init__(self, cluster: Cluster, progress: Progress) -> None:
        self._cluster = cluster
        self._progress = progress
        self._known: dict[bytes, Finding] = {}

    def mark(self, page: HandIn, name: str) -> AnswerMark | None:
        """Return the mark of a student for an exercise; None where it was not tried."""
        answer, claimed = page.answers.get(name), page.claimed.get(name, False)
        if answer is None:
            return AnswerMark(name, False, None, True, NO_ANSWER, judged=False) if claimed else None
        seed = str((page.copy or {}).get("seed", ""))
        exercise = catalogue.load(name, student=page.student, seed=seed)
        key = signing.canonical({"name": name, "values": exercise.values, "answer": answer})
        if key not in self._known:
            self._progress.step(f"{page.name} : {name}")
            self._known[key] = self._safely(exercise, answer)
        finding = self._known[key]
        judged = finding.code != judging.NOT_JUDGED
        return AnswerMark(name, finding.passed, finding.points, claimed, _words(finding), judged)

    def _safely(self, exercise: Exercise, answer: object) -> Finding:
        """Return what is found; what one answer breaks must not cost the others their marks."""
        try:
            return self._try(exercise, answer)
        except ClusterUnreachableError:
            raise
        except K8sHelpersError as error:
            return Finding(
                judging.NOT_JUDGED, f"l’essai n’a pas pu se faire. {judging.words(error)}"
            )
        except (
            Exception
        ) as error:  # a check that meets an object of a shape that it does not expect
            kind = type(error).__name__
            return Finding(
                judging.NOT_JUDGED, f"le contrôle ne sait pas juger cette réponse ({kind})."
            )

    def _try(self, exercise: Exercise, answer: object) -> Finding:
        if not exercise.workspace:
            given = answer if isinstance(answer, list) else [answer]
            return marking.judge_answer(exercise, tuple(given), self._cluster, self._progress)
        objects = answer.get("objects") if isinstance(answer, dict) else None
        if not isinstance(objects, list):
            return Finding("incomplet", "la réponse rendue n’est pas une liste d’objets.")
        place = workspace.Workspace(self._cluster, exercise, _SUFFIX)
        return place.judge_objects(objects, self._progress)
