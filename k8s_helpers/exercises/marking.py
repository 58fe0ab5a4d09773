"""`check`, `hint` and `starter`: what a notebook calls."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from .. import journal
from .._errors import (
    ApiRefusedError,
    ClusterUnreachableError,
    ImageError,
    K8sHelpersError,
    ManifestError,
    SpoiledError,
    UsageError,
    WaitTimeoutError,
)
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..cluster import Cluster, Namespace, current_cluster
from ..journal import ExerciseEntry, Journal
from . import guard
from .bench import Bench
from .catalogue import Exercise, load
from .finding import Finding, Verdict

CheckFunction = Callable[[Any], Finding]
"""What a `check.py` is called by: with the bench, or with the values of an answer that needs no cluster."""

_emptying: dict[str, threading.Thread] = {}
"""Who still empties the namespace of a check that is over, by the namespace's name."""

NOT_JUDGED = "sans-image"
"""Code of what was found where the cluster could not run the answer: no attempt is noted."""


def starter(name: str) -> tuple[Any, ...]:
    """Return what an exercise starts from: its manifests, one text a step, or a mapping of values."""
    return load(name).starter()


@stoppable
def check(
    name: str, *answer: object, cluster: Cluster | None = None, progress: Progress | None = None
) -> Verdict:
    """Try an answer on the cluster and say what happened there.

    Manifests are applied in a namespace of the exercise's own, which is deleted afterwards. Values (a classification,
    a calculation) need no cluster.

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
        There is no exercise of that id.
    ClusterUnreachableError
        There is no cluster, or it does not answer.
    SpoiledError
        The namespace was deleted meanwhile, the machine suspended: nothing is judged.
    """
    exercise = load(name)
    with reporting(progress) as reporter:
        finding = _try(exercise, answer, cluster, reporter)
    if finding.code == NOT_JUDGED:
        return Verdict(name, finding)
    after = journal.change(lambda before: _noted(before, exercise, finding))
    return _verdict(exercise, finding, after.exercise(name).hints)


def hint(name: str) -> Verdict:
    """Give one more hint for the mistake that the last check found.

    Raises
    ------
    UsageError
        There is no exercise of that id.
    """
    exercise = load(name)
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


def _try(
    exercise: Exercise, answer: tuple[object, ...], cluster: Cluster | None, progress: Progress
) -> Finding:
    try:
        if exercise.fields:
            return _check_function(exercise)(guard.read_values(exercise, answer))
        manifests = guard.read(exercise, answer)
    except guard.RefusedAnswerError as refused:
        return refused.finding
    cluster = cluster or current_cluster()
    namespace = cluster.namespace(f"exercice-{exercise.name}")
    progress.step("Préparation de l’exercice")
    if (emptying := _emptying.pop(namespace.name, None)) is not None:
        emptying.join()  # it goes by the namespace's name, which the next one has too
    namespace.delete()  # what the last check has left, or one that was cut short
    try:
        namespace.create(passing=True)
        bench = Bench(cluster, namespace, exercise, manifests, progress)
        with namespace.sentinel() as bench.sentinel:
            finding = _judge(exercise, bench)
            if not finding.passed:
                bench.sentinel.look()  # it may be the mistake of whoever deleted the namespace
            return finding
    finally:
        # Whoever waits for a verdict need not wait for the namespace to go: told to, it does so even if we end here.
        namespace.delete(timeout_s=0)
        emptying = threading.Thread(target=_empty, args=(namespace,), daemon=True)
        _emptying[namespace.name] = emptying
        emptying.start()


def _judge(exercise: Exercise, bench: Bench) -> Finding:
    try:
        bench.limit()
        return _check_function(exercise)(bench)
    except guard.RefusedAnswerError as refused:
        return refused.finding
    except (ManifestError, ApiRefusedError, UsageError) as error:
        return Finding("refuse", f"le cluster refuse votre réponse. {_words(error)}")
    except ImageError as error:
        # `guard` lets only the course's images pass: one that is lacking is never the answer's mistake.
        words = "votre réponse n’y est pour rien, il manque une image au cluster."
        return Finding(NOT_JUDGED, f"{words} {_words(error)}")
    except WaitTimeoutError as error:
        return Finding("bloque", f"quelque chose n’arrive jamais. {_words(error)}")
    except (ClusterUnreachableError, SpoiledError):
        raise
    except K8sHelpersError as error:
        # A container that dies under the hands of the check, for example: the answer's doing, said as such.
        return Finding("bloque", f"l’essai s’est arrêté en route. {_words(error)}")
    except (ConnectionError, TimeoutError) as error:
        return Finding("bloque", f"une requête du contrôle est restée sans réponse ({error}).")


def _empty(namespace: Namespace) -> None:
    with contextlib.suppress(K8sHelpersError):
        namespace.delete()


def _words(error: K8sHelpersError) -> str:
    return f"{error.tried} : {error.found}\n{error.advice}"


def _check_function(exercise: Exercise) -> CheckFunction:
    spec = importlib.util.spec_from_file_location(
        f"exercise_{exercise.name.replace('-', '_')}", exercise.folder / "check.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(CheckFunction, module.check)


def _noted(before: Journal, exercise: Exercise, finding: Finding) -> Journal:
    entry = before.exercise(exercise.name)
    degree = 0
    if not finding.passed:
        same = finding.code == entry.finding
        degree = max(
            entry.hints if same else 0, min(1, len(exercise.hints.get(finding.code or "", ())))
        )
    after = ExerciseEntry(
        attempts=entry.attempts + 1,
        hints=degree,
        passed_at=entry.passed_at or (journal.now() if finding.passed else None),
        finding=finding.code,
    )
    return before.with_exercise(exercise.name, after)


def _verdict(exercise: Exercise, finding: Finding, degree: int) -> Verdict:
    hints = exercise.hints.get(finding.code or "", ())
    text = hints[degree - 1] if 0 < degree <= len(hints) else None
    return Verdict(exercise.name, finding, text, degree if text else 0, len(hints))
