"""`check`, `hint` and `starter`: what a notebook calls."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import Any

from .. import journal
from .._errors import ClusterUnreachableError, K8sHelpersError
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..cluster import Cluster, Namespace, current_cluster
from ..journal import ExerciseEntry, Journal, sharing
from . import guard, judging, workspace
from .bench import Bench
from .catalogue import Exercise, load
from .finding import Finding, Verdict
from .grading import snapshot

_emptying: dict[str, threading.Thread] = {}
"""Who still empties the namespace of a check that is over, by the namespace's name."""


def starter(name: str) -> tuple[Any, ...]:
    """Return what an exercise starts from: its manifests, one text a step, or a mapping of values."""
    return load(name).starter()


@stoppable
def check(
    name: str, *answer: object, cluster: Cluster | None = None, progress: Progress | None = None
) -> Verdict:
    """Try an answer on the cluster and say what happened there.

    Manifests are applied in a namespace of the exercise's own, which is deleted afterwards. Values (a classification,
    a calculation) need no cluster. An exercise that `start` began has no answer to give: its namespace is looked at,
    and left as it is.

    Parameters
    ----------
    name : str
        The exercise's id ("09-zero-perte").
    *answer : str or mapping
        The manifests, one text a step; or the values, where the exercise needs no cluster.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Shows each act; otherwise what fits (notebook, terminal, log).

    Returns
    -------
    Verdict
        In French, with the hint for the mistake; it counts as true where the answer is right.

    Raises
    ------
    UsageError
        There is no exercise of that id; or it is to be started first.
    ClusterUnreachableError
        There is no cluster, or it does not answer.
    SpoiledError
        The namespace was deleted meanwhile, the machine suspended: nothing is judged.
    """
    exercise = load(name)
    _share(cluster)
    with reporting(progress) as reporter:
        finding = judge_answer(exercise, answer, cluster, reporter)
    if finding.code == judging.NOT_JUDGED:
        return Verdict(name, finding)
    kept = _kept(exercise, answer, finding, cluster)
    after = journal.change(lambda before: _noted(before, exercise, finding, kept))
    return _verdict(exercise, finding, after.exercise(name).hints)


def hint(name: str) -> Verdict:
    """Give one more hint for the mistake that the last check found.

    Raises
    ------
    UsageError
        There is no exercise of that id.
    """
    exercise = load(name)
    _share(None)
    entry = journal.read().exercise(name)
    if entry.finding is None:
        words = (
            "Cet exercice est réussi : il n’y a plus besoin d’indice."
            if entry.passed_at
            else "Lancez d’abord « check » : l’indice dépend de ce qui se passe."
        )
        return Verdict(name, Finding(None if entry.passed_at else "", words), hinting=True)
    hints = exercise.hints.get(entry.finding, ())
    degree = min(entry.hints + 1, len(hints))
    journal.change(
        lambda before: before.with_exercise(name, replace(before.exercise(name), hints=degree))
    )
    words = "Voici de quoi avancer."
    if entry.passed_at:
        words = "Vous avez déjà réussi cet exercice ; ceci est pour votre dernier essai."
    if not hints:
        words += " Il n’y a pas d’indice pour ce que « check » y a constaté : son message dit tout."
    verdict = _verdict(exercise, Finding(entry.finding, words), degree)
    return replace(verdict, hinting=True)


def judge_answer(
    exercise: Exercise, answer: tuple[object, ...], cluster: Cluster | None, progress: Progress
) -> Finding:
    """Return what is found of an answer, of whoever: nothing is noted, and no hint given; see `check`."""
    if exercise.workspace:
        return workspace.check_state(exercise, answer, cluster, progress)
    try:
        if exercise.fields:
            return judging.run(exercise, guard.read_values(exercise, answer))
        manifests = guard.read(exercise, answer)
    except guard.RefusedAnswerError as refused:
        return refused.finding
    cluster = cluster or current_cluster()
    exercise.require(cluster)
    namespace = cluster.namespace(f"exercice-{exercise.name}")
    progress.step("Préparation de l’exercice")
    if (emptying := _emptying.pop(namespace.asked, None)) is not None:
        emptying.join()  # it goes by the namespace's name, which the next one has too
    namespace.delete()  # what the last check has left, or one that was cut short
    try:
        namespace.create(passing=True)
        bench = Bench(cluster, namespace, exercise, manifests, progress)
        return judging.watched(exercise, bench)
    finally:
        # Whoever waits for a verdict need not wait for the namespace to go: told to, it does so even if we end here.
        namespace.delete(timeout_s=0)
        emptying = threading.Thread(target=_empty, args=(namespace,), daemon=True)
        _emptying[namespace.asked] = emptying
        emptying.start()


def _share(cluster: Cluster | None) -> None:
    """Let the class see this, where the cluster is a class's: that of the call, or the one in use, if any."""
    with contextlib.suppress(ClusterUnreachableError):
        sharing.begin(cluster or current_cluster())


def _empty(namespace: Namespace) -> None:
    with contextlib.suppress(K8sHelpersError):
        namespace.delete()


def _kept(
    exercise: Exercise, answer: tuple[object, ...], finding: Finding, cluster: Cluster | None
) -> object:
    """Return what is kept of an answer that is worth something: texts, values, or the objects of its namespace."""
    if not finding.passed and not finding.points:
        return None
    if not exercise.workspace:
        return list(answer)
    with contextlib.suppress(K8sHelpersError):  # a verdict does not depend on it
        cluster = cluster or current_cluster()
        place = workspace.Workspace(cluster, exercise)
        return {"objects": snapshot.take(place.namespace, cluster.provider.image_names)}
    return None


def _noted(before: Journal, exercise: Exercise, finding: Finding, kept: object = None) -> Journal:
    entry = before.exercise(exercise.name)
    degree = 0
    if not finding.passed:
        same = finding.code == entry.finding
        degree = max(
            entry.hints if same else 0, min(1, len(exercise.hints.get(finding.code or "", ())))
        )
    points = finding.points[0] if finding.points else None
    better = kept is not None and (points or 0) >= (entry.points or 0)
    after = ExerciseEntry(
        attempts=entry.attempts + 1,
        hints=degree,
        passed_at=entry.passed_at or (journal.now() if finding.passed else None),
        finding=finding.code,
        answer=kept if better else entry.answer,
        points=points if better else entry.points,
    )
    if finding.code:
        before = before.with_mistake(exercise.name, finding.code)
    return before.with_exercise(exercise.name, after)


def _verdict(exercise: Exercise, finding: Finding, degree: int) -> Verdict:
    hints = exercise.hints.get(finding.code or "", ())
    text = hints[degree - 1] if 0 < degree <= len(hints) else None
    return Verdict(exercise.name, finding, text, degree if text else 0, len(hints))
