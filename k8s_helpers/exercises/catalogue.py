"""What exercises there are: the folders of `exercises/`, read as data."""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._errors import UsageError
from .._paths import COURSE


@dataclass(frozen=True)
class Field:
    """One value that an answer without manifests is made of.

    Attributes
    ----------
    text : str
        What is asked, in French.
    choices : tuple of str
        The possible answers; empty where the answer is a number.
    """

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    An answer is made of manifests that are tried on the cluster, or, where `fields` names some, of one mapping of
    values that needs no cluster.

    Attributes
    ----------
    name : str
        Its id and its folder's name ("09-zero-perte").
    title, slide, notebook : str
        In French; the slide's id; the notebook's name without suffix.
    statement : str
        What is asked, in French.
    steps : tuple of str
        Names of the manifests that an answer is made of, in their order.
    kinds : frozenset of str
        The only kinds of object that an answer may hold.
    max_pods : int
        What the namespace's quota allows.
    timeout_s : float
        Longest time that a check may take.
    hints : mapping of str to tuple of str
        By finding, from the lightest to the most explicit.
    wrong : mapping of str to str
        Typical wrong answers, by name, and the finding that each must lead to.
    fields : mapping of str to Field
        What an answer made of values holds, by key; empty for an answer made of manifests.
    apps : tuple of str
        The course's programs that pods may run, those of `apps/`.
    host_paths : frozenset of str
        Folders of the node that pods may mount.
    """

    name: str
    title: str
    slide: str
    notebook: str
    statement: str
    steps: tuple[str, ...]
    kinds: frozenset[str]
    max_pods: int
    timeout_s: float
    hints: Mapping[str, tuple[str, ...]]
    wrong: Mapping[str, str]
    folder: Path
    fields: Mapping[str, Field] = field(default_factory=dict)
    apps: tuple[str, ...] = ("vitrine",)
    host_paths: frozenset[str] = frozenset()

    def starter(self) -> tuple[Any, ...]:
        """Return what the student starts from, as `check` takes it: manifests' texts, or a mapping of values."""
        return self._answer(self.folder / "starter")

    def starter_texts(self) -> tuple[str, ...]:
        """Return the same as it stands in the notebook."""
        return self._texts(self.folder / "starter")

    def solution(self) -> tuple[Any, ...]:
        """Return the reference solution, as `check` takes it."""
        return self._answer(self.folder / "solution")

    def wrong_answer(self, name: str) -> tuple[Any, ...]:
        """Return a typical wrong answer; a step that it does not have is that of the solution."""
        return self._answer(self.folder / "wrong" / name)

    def _answer(self, folder: Path) -> tuple[Any, ...]:
        texts = self._texts(folder)
        if not self.fields:
            return texts
        solution = ast.literal_eval(self._texts(self.folder / "solution")[0])
        own = ast.literal_eval(texts[0])
        return ({**solution, **own} if folder.parent.name == "wrong" else own,)

    def _texts(self, folder: Path) -> tuple[str, ...]:
        suffix = ".py" if self.fields else ".yaml"
        fallback = self.folder / "solution"
        paths = [(folder / f"{step}{suffix}", fallback / f"{step}{suffix}") for step in self.steps]
        return tuple(
            (own if own.exists() else other).read_text(encoding="utf-8") for own, other in paths
        )


@functools.cache
def exercises() -> Mapping[str, Exercise]:
    """Return all exercises by id, in the order of the course."""
    import yaml

    files = sorted((COURSE / "exercises").glob("*/exercise.yaml"))
    return {
        file.parent.name: _from_plain(file.parent, yaml.safe_load(file.read_text(encoding="utf-8")))
        for file in files
    }


def load(name: str) -> Exercise:
    """Return one exercise.

    Raises
    ------
    UsageError
        There is none of that id; says the nearest.
    """
    known = exercises()
    if isinstance(name, str) and name in known:
        return known[name]
    near = difflib.get_close_matches(str(name), list(known), 1)
    raise UsageError(
        f"Ouvrir l’exercice « {name} »",
        "il n’y en a pas de ce nom",
        f"Vouliez-vous dire « {near[0]} » ?" if near else f"Les exercices : {', '.join(known)}.",
    )


def _from_plain(folder: Path, plain: Mapping[str, Any]) -> Exercise:
    fields = {
        key: Field(entry["text"], tuple(entry.get("choices", ())))
        for key, entry in plain.get("fields", {}).items()
    }
    return Exercise(
        name=folder.name,
        title=plain["title"],
        slide=plain["slide"],
        notebook=plain["notebook"],
        statement=plain["statement"].strip(),
        steps=("reponse",) if fields else tuple(plain["steps"]),
        kinds=frozenset(plain.get("kinds", ())),
        max_pods=plain.get("max_pods", 0),
        timeout_s=plain.get("timeout_s", 0.0),
        hints={finding: tuple(hints) for finding, hints in plain["hints"].items()},
        wrong=dict(plain["wrong"]),
        folder=folder,
        fields=fields,
        apps=tuple(plain.get("apps", ("vitrine",))),
        host_paths=frozenset(plain.get("host_paths", ())),
    )
