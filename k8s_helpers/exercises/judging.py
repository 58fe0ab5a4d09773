"""Runs an exercise's own code, `check.py`: what goes wrong by the answer's doing is a finding too."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType
from typing import Any

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
from ..cluster.sentinel import UNKNOWN_IDENTITY, access_ended
from ..kube.api import ApiStatusError
from . import guard
from .bench import Bench
from .catalogue import Exercise
from .finding import Finding

NOT_JUDGED = "sans-image"
"""Code of what was found where the cluster could not run the answer: no attempt is noted."""

_NOT_FOUND = 404

_GENERATED_POD = re.compile(r" pods/\S+-[bcdfghjklmnpqrstvwxz2456789]{5}(?:/| )")
"""A pod's name as a controller makes it, in what was tried; the letters are those of apimachinery's `rand.String`."""


def control(exercise: Exercise) -> ModuleType:
    """Return an exercise's `check.py`, imported."""
    spec = importlib.util.spec_from_file_location(
        f"exercise_{exercise.name.replace('-', '_')}", exercise.folder / "check.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(exercise: Exercise, given: Any) -> Finding:
    """Return what an exercise's `check` finds with a bench, or with the values of an answer that needs no cluster."""
    finding: Finding = control(exercise).check(given)
    return finding


def judge(exercise: Exercise, bench: Bench) -> Finding:
    """Return what a check finds on a bench, or the finding that an error of its means.

    Raises
    ------
    ClusterUnreachableError, SpoiledError
        Nothing can be judged.
    """
    try:
        if not exercise.workspace:
            bench.limit()
        return run(exercise, bench)
    except guard.RefusedAnswerError as refused:
        return refused.finding
    except (ManifestError, ApiRefusedError, UsageError) as error:
        if isinstance(error, ApiStatusError) and error.code == UNKNOWN_IDENTITY:
            raise access_ended(f"Vérifier l’exercice « {exercise.title} »") from None
        if exercise.workspace and isinstance(error, ApiStatusError) and error.code == _NOT_FOUND:
            if _GENERATED_POD.search(
                error.tried
            ):  # the check had just read its name: an update takes pods away
                return Finding("en-cours", "un pod a été remplacé pendant le contrôle.")
            return Finding("disparu", f"il manque un objet. {words(error)}")
        return Finding("refuse", f"le cluster refuse votre réponse. {words(error)}")
    except ImageError as error:
        # `guard` lets only the course's images pass: one that is lacking is never the answer's mistake.
        text = "votre réponse n’y est pour rien, il manque une image au cluster."
        return Finding(NOT_JUDGED, f"{text} {words(error)}")
    except WaitTimeoutError as error:
        return Finding("bloque", f"quelque chose n’arrive jamais. {words(error)}")
    except (ClusterUnreachableError, SpoiledError):
        raise
    except K8sHelpersError as error:
        # A container that dies under the hands of the check, for example: the answer's doing, said as such.
        return Finding("bloque", f"l’essai s’est arrêté en route. {words(error)}")
    except (ConnectionError, TimeoutError) as error:
        return Finding("bloque", f"une requête du contrôle est restée sans réponse ({error}).")


def watched(exercise: Exercise, bench: Bench) -> Finding:
    """Return the same while somebody watches over the namespace: who deletes it makes no mistake of the answer's.

    Raises
    ------
    SpoiledError
        It was deleted meanwhile.
    """
    with bench.namespace.sentinel() as bench.sentinel:
        finding = judge(exercise, bench)
        if not finding.passed:
            bench.sentinel.look()
    return finding


def words(error: K8sHelpersError) -> str:
    """Return an error's three parts as they stand in a finding."""
    return f"{error.tried} : {error.found}\n{error.advice}"
