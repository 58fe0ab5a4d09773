"""What exercises there are: the folders of `exercises/`, read as data."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import journal
from .._errors import PlatformError, UsageError
from .._french import nearest_or_all
from .._paths import COURSE
from ..providers import rights
from ..providers.rights import Right
from . import parameters

if TYPE_CHECKING:
    from ..cluster import Cluster

VERSIONS = ("v1", "v2", "v3")
"""Those of the course's programs."""

WORKSPACE_HINTS: Mapping[str, tuple[str, ...]] = {
    "espace": (
        "Vos commandes ont abouti, mais dans un autre espace de noms que celui de l’exercice. Où regarde votre "
        "kubectl ?",
        "« kubectl config view --minify | grep namespace » le dit. Sans option « -n », une commande va là, ou dans "
        "« default ».",
        "Remettez votre terminal au bon endroit par « k8s-lab exercise use NOM », ou ajoutez « -n » et l’espace de "
        "noms à vos commandes ; puis effacez ce qui est resté ailleurs.",
    ),
    "disparu": (
        "Un objet dont l’exercice a besoin n’est plus là. « kubectl get all » montre ce qui reste.",
        "Vous pouvez le recréer, ou recommencer l’exercice à neuf par « start ».",
    ),
    "en-cours": (
        "Une mise à jour est sans doute en cours. Attendez-en la fin (« kubectl rollout status deployment/NOM »), puis "
        "relancez « check ».",
    ),
    "bloque": (
        "Quelque chose n’arrive jamais. « kubectl get pods », puis « kubectl describe pod » : que disent les "
        "événements ?",
    ),
    "refuse": ("Le serveur d’API a refusé une requête du contrôle ; son message est au-dessus.",),
}
"""What is the same in all exercises of that kind, unless one has words of its own."""


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
    workspace : bool
        The student works in a namespace, by whatever way; its state is what is judged, and there is no answer to give.
    values : mapping of str to str
        What was drawn for the student, by parameter: already in every text of the exercise.
    is_project : bool
        Its finding has criteria and points.
    rights : tuple of Right
        What it needs beyond what every student may do in their namespaces.
    limits : mapping of str to str
        By provider that cannot give what it needs, why, in one French sentence.
    needs_ingress : bool
        Requests come in by an ingress controller.
    unmet : mapping of str to tuple of str
        Of a project: by typical incomplete answer, the criteria that it does not meet.
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
    workspace: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    is_project: bool = False
    unmet: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rights: tuple[Right, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    needs_ingress: bool = False

    def text(self, file: Path) -> str:
        """Return a file of the exercise with the student's values in place of its parameters."""
        return parameters.fill(file.read_text(encoding="utf-8"), self.values)

    def render(self, folder: Path) -> Path:
        """Write the exercise's folder anew with the student's values in every text; return it."""
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            target = folder / file.relative_to(self.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.text(file), encoding="utf-8")
        return folder

    def require(self, cluster: Cluster) -> None:
        """Go on where we can and may do what the exercise needs.

        Raises
        ------
        PlatformError
            The provider cannot give it: says why.
        ApiRefusedError
            Rights are missing, which are named.
        """
        tried = f"Faire l’exercice « {self.title} »"
        if (reason := self.limits.get(cluster.provider.kind)) is not None:
            raise PlatformError(
                f"{tried}, sur un cluster « {cluster.provider.kind} »",
                reason,
                'Faites-le sur un cluster à vous : connect(provider="embedded"), ou « k8s-lab up ».',
            )
        if self.needs_ingress:
            cluster.provider.require_ingress(tried)
        if self.rights:
            cluster.require_rights(tried, *self.rights)

    def given(self) -> tuple[Path, ...]:
        """Return the manifests that are in the namespace when a workspace exercise starts, in their order."""
        return tuple(sorted((self.folder / "given").glob("*.yaml")))

    def manifests(self) -> tuple[Path, ...]:
        """Return those of a workspace exercise, and those that its solution applies; what Kustomize reads is none."""
        applied = sorted((self.folder / "solution").glob("*.yaml"))
        return (*self.given(), *(path for path in applied if path.name != "kustomization.yaml"))

    @functools.cached_property
    def image_tags(self) -> tuple[str, ...]:
        """Return the images of the course that a workspace exercise speaks of in any of its files: "vitrine:v1"."""
        wanted = re.compile(rf"\b(?:{'|'.join(self.apps)}):(?:{'|'.join(VERSIONS)})\b")
        files = (path for path in self.folder.rglob("*") if path.suffix in (".yaml", ".sh"))
        return tuple(sorted({tag for path in files for tag in wanted.findall(path.read_text())}))

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
        return tuple(self.text(own if own.exists() else other) for own, other in paths)


def exercises(student: str | None = None, seed: str | None = None) -> Mapping[str, Exercise]:
    """Return all exercises by id, in the order of the course.

    Parameters
    ----------
    student, seed : str, optional
        For whom parameters are drawn; otherwise who the journal names, and this copy of the course.
    """
    whose = journal.read().student if student is None else student
    return _drawn(whose, parameters.copy_seed() if seed is None else seed)


@functools.cache
def _drawn(student: str, seed: str) -> Mapping[str, Exercise]:
    import yaml

    made = {}
    for file in sorted((COURSE / "exercises").glob("*/exercise.yaml")):
        name, text = file.parent.name, file.read_text(encoding="utf-8")
        values = {}
        if parameters.MARK.search(text):
            declared = yaml.safe_load(text).get("parameters", {})
            values = parameters.draw(declared, name, student, seed)
        made[name] = _from_plain(file.parent, yaml.safe_load(parameters.fill(text, values)), values)
    return made


def load(name: str, student: str | None = None, seed: str | None = None) -> Exercise:
    """Return one exercise, drawn for a student as `exercises` does.

    Raises
    ------
    UsageError
        There is none of that id; says the nearest.
    """
    known = exercises(student, seed)
    if isinstance(name, str) and name in known:
        return known[name]
    raise UsageError(
        f"Ouvrir l’exercice « {name} »",
        "il n’y en a pas de ce nom",
        nearest_or_all(str(name), known, "Les exercices"),
    )


def _from_plain(folder: Path, plain: Mapping[str, Any], values: Mapping[str, str]) -> Exercise:
    fields = {
        key: Field(entry["text"], tuple(entry.get("choices", ())))
        for key, entry in plain.get("fields", {}).items()
    }
    workspace = bool(plain.get("workspace", False))
    general = WORKSPACE_HINTS if workspace else {}
    return Exercise(
        name=folder.name,
        title=plain["title"],
        slide=plain["slide"],
        notebook=plain["notebook"],
        statement=plain["statement"].strip(),
        steps=("reponse",) if fields else tuple(plain.get("steps", ())),
        kinds=frozenset(plain.get("kinds", ())),
        max_pods=plain.get("max_pods", 0),
        timeout_s=plain.get("timeout_s", 0.0),
        hints={
            **general,
            **{finding: tuple(hints) for finding, hints in plain["hints"].items()},
        },
        wrong=dict(plain["wrong"]),
        folder=folder,
        fields=fields,
        apps=tuple(plain.get("apps", ("vitrine",))),
        host_paths=frozenset(plain.get("host_paths", ())),
        workspace=workspace,
        values=dict(values),
        is_project=bool(plain.get("project", False)),
        rights=tuple(map(rights.parse, plain.get("rights", ()))),
        limits=dict(plain.get("limits", {})),
        needs_ingress=bool(plain.get("needs_ingress", False)),
        unmet={answer: tuple(codes) for answer, codes in plain.get("unmet", {}).items()},
    )
