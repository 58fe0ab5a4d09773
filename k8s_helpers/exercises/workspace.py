"""Exercises that are judged by the state of a namespace, however the student has brought it about."""

from __future__ import annotations

import contextlib
import fcntl
import html
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_kubernetes.processes import Completed, run

from .. import _paths, journal
from .._errors import (
    ApiRefusedError,
    BusyError,
    ClusterUnreachableError,
    ManifestError,
    SpoiledError,
    UsageError,
    WaitTimeoutError,
)
from .._french import typeset
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..cluster import Cluster, Namespace, contexts, current_cluster
from ..cluster.clusters import environment
from ..cluster.terminal import terminal
from ..journal import sharing
from ..kube.image_names import ImageNames
from . import elsewhere, guard, judging
from .bench import Bench
from .catalogue import Exercise, load
from .finding import Finding, paragraphs
from .namespace_state import fingerprint

_STARTED = "k8s-helpers/started"
"""Annotation of a namespace whose exercise has begun: all that was to be given is there."""

_STATE = "k8s-helpers/state"
"""Annotation that says what was there then (`fingerprint`)."""

_SYMPTOMS_S = 90.0
"""Longest wait for what the statement tells."""

_COMMANDS_S = 120.0


@dataclass(frozen=True)
class StartedExercise:
    """What the student reads when an exercise begins: the statement, and where to work."""

    exercise: Exercise
    namespace: str
    names: ImageNames = field(default_factory=ImageNames)

    def __repr__(self) -> str:
        return typeset("\n".join((self.exercise.title, *self._statement(), *self._advice())))

    def in_terminal(self) -> str:
        """Return the text with what is typed in a terminal, and nothing of Python."""
        name = self.exercise.name
        lines = [
            f"kubectl regarde déjà dans « {self.namespace} ».",
            f"Où en êtes-vous ? « k8s-lab exercise check {name} » le dit.",
            *self._particulars(),
        ]
        parts = (self.exercise.title, *self._statement(), "\n".join(lines))
        return typeset("\n\n".join(part.strip() for part in parts))

    def _repr_html_(self) -> str:
        body = f"<p style='margin:.2em 0'><strong>{html.escape(self.exercise.title)}</strong></p>"
        body += "".join(paragraphs("", part) for part in self._statement())
        body += "".join(
            "<p style='margin:.2em 0'>"
            + re.sub(r"« ([^»]+) »", r"<code>\1</code>", html.escape(line, quote=False))
            + "</p>"
            for line in self._advice()
        )
        frame = "border-left:4px solid #005A9C;padding:.3em .8em"
        return f"<div role='status' style='{frame}'>{typeset(body)}{self._button()}</div>"

    def _button(self) -> str:
        """Return what opens a terminal, in a notebook that is connected."""
        with contextlib.suppress(ClusterUnreachableError):
            return terminal()._repr_html_()
        return ""

    def _statement(self) -> tuple[str, ...]:
        """Return the statement's paragraphs, each without the line breaks of its file."""
        statement = self.names.rewritten(self.exercise.statement, self.exercise.image_tags)
        parts = re.split(r"\n\s*\n", statement)
        return tuple(re.sub(r"\n(?=[^\s-])", " ", part) for part in parts)

    def _advice(self) -> tuple[str, ...]:
        name = self.exercise.name
        return (
            f"Travaillez dans un terminal ou ici, comme vous voulez : kubectl regarde déjà dans « {self.namespace} ».",
            f'Où en êtes-vous ? « check("{name}") » le dit, ou « k8s-lab exercise check {name} » dans un terminal.',
            *self._particulars(),
        )

    def _particulars(self) -> tuple[str, ...]:
        """Return what is not so for everybody: whose values these are, how the images are called."""
        lines = []
        if self.exercise.values and (whose := journal.read().student):
            lines.append(f"Ces valeurs sont tirées pour {whose}.")
        elif self.exercise.values:
            lines.append(
                'Ces valeurs sont celles du notebook ; « student("Prénom Nom") » tire les vôtres.'
            )
        table = self.names.table(self.exercise.image_tags)
        if table:
            lines.append(
                "Les nœuds de ce cluster tirent les images du cours d’un registre. Tapez :"
            )
            lines += [f"pour {tag} : « {name} »" for tag, name in table.items()]
        return tuple(lines)


class Workspace:
    """The namespace of an exercise.

    Parameters
    ----------
    cluster : Cluster
        Where it is.
    exercise : Exercise
        One that is judged by the state of its namespace.
    suffix : str
        What the namespace's name ends in, where several try the same exercise on one cluster.

    Raises
    ------
    UsageError
        The exercise is answered otherwise.
    """

    def __init__(self, cluster: Cluster, exercise: Exercise, suffix: str = "") -> None:
        if not exercise.workspace:
            raise UsageError(
                f"Commencer l’exercice « {exercise.name} »",
                "il n’a pas d’espace de noms : sa réponse s’écrit dans le notebook",
                f"Ouvrez {exercise.notebook}, et donnez votre réponse à « check ».",
            )
        self.cluster = cluster
        self.exercise = exercise
        self.namespace: Namespace = cluster.namespace(f"exercice-{exercise.name}{suffix}")

    def start(self, progress: Progress) -> StartedExercise:
        """Make the namespace anew with all that is given, and return once the symptoms are there.

        Raises
        ------
        ApiRefusedError
            It needs rights that we do not have.
        WaitTimeoutError
            They do not come.
        BusyError
            It is being started, checked or stopped elsewhere.
        """
        self.exercise.require(self.cluster)
        with self._alone("Commencer"):
            progress.step("Préparation de l’espace de noms")
            self.namespace.delete()
            try:
                self._give(progress)
            except BaseException:  # a namespace that is half there would be taken for the exercise
                with contextlib.suppress(Exception):
                    self.namespace.delete(timeout_s=0)
                raise
        return StartedExercise(
            self.exercise, self.namespace.name, self.cluster.provider.image_names
        )

    def _give(self, progress: Progress) -> None:
        self.namespace.create()
        bench = self._bench(progress)
        control = judging.control(self.exercise)
        for tag in self.exercise.image_tags:
            bench.image(tag)
        progress.step("Mise en place")
        if hasattr(control, "set_up"):
            control.set_up(bench)
        else:
            for path in self.exercise.given():
                bench.apply(bench.given(f"given/{path.name}"))
        if hasattr(control, "symptoms"):
            progress.step("Attente des premiers symptômes")
            if not bench.until(lambda: control.symptoms(bench), _SYMPTOMS_S):
                raise WaitTimeoutError(
                    f"Préparer l’exercice « {self.exercise.name} »",
                    f"ce que dit l’énoncé ne se voit pas après {_SYMPTOMS_S:.0f} s",
                    "Relancez la cellule ; « k8s-lab status » dit si le cluster va bien.",
                )
        self.namespace.annotate({_STARTED: self.exercise.name, _STATE: fingerprint(self.namespace)})

    def check(self, progress: Progress) -> Finding:
        """Look at the namespace as it is now, and leave it so.

        Raises
        ------
        UsageError
            The exercise has not begun.
        SpoiledError
            The namespace was deleted meanwhile.
        BusyError
            It is being started, checked or stopped elsewhere.
        """
        with self._alone("Vérifier"):
            metadata = self._require_begun()
            progress.step("Examen de votre espace de noms")
            bench = self._bench(progress)
            bench.untouched = metadata["annotations"].get(_STATE) == fingerprint(self.namespace)
            try:
                finding = judging.watched(self.exercise, bench)
            except SpoiledError:
                self._require_begun()
                raise
        if finding.passed or finding.code == judging.NOT_JUDGED:
            return finding
        return self._elsewhere(finding, metadata["creationTimestamp"])

    def _elsewhere(self, finding: Finding, begun: str) -> Finding:
        strays = elsewhere.find(self.cluster, self.exercise, self.namespace, begun)
        if not strays:
            return finding
        listed = ", ".join(strays[:4]) + (" …" if len(strays) > 4 else "")
        return Finding(
            "espace",
            f"l’exercice regarde dans « {self.namespace.name} », et vous avez créé ailleurs : {listed}.",
        )

    def stop(self) -> None:
        """Delete the namespace with all in it; nothing happens where there is none."""
        with self._alone("Terminer"):
            self.namespace.delete()

    def type(self, folder: Path) -> Completed:
        """Run `commands.sh` of a folder as a student would type it; whatever fails there is in what it returns.

        Plain kubectl looks in the namespace, whatever other threads do meanwhile; k8s-lab means the same cluster.
        """
        with tempfile.TemporaryDirectory() as own:
            overlay = Path(own) / "context"
            contexts.write_overlay(overlay, self.cluster.kubeconfig, self.namespace.name)
            provider = self.cluster.provider
            variables = {
                **environment(provider),
                "K8S_HELPERS_PROVIDER": provider.kind,
                "K8S_HELPERS_CLUSTER": provider.name,
                "KUBECONFIG": os.pathsep.join((str(overlay), str(self.cluster.kubeconfig))),
            }
            argv = ["bash", "-e", "commands.sh"]
            folder = self._drawn(folder, Path(own) / "exercise")
            return run(argv, timeout_s=_COMMANDS_S, check=False, env=variables, cwd=folder)

    def _drawn(self, folder: Path, target: Path) -> Path:
        """Return a folder as this student, on this cluster, would write it: own values, the images' names here."""
        names, tags = self.cluster.provider.image_names, self.exercise.image_tags
        if not self.exercise.values and not names.table(tags):
            return folder
        drawn = self.exercise.render(target)
        for path in drawn.rglob("*"):
            if path.suffix in (".yaml", ".sh"):
                path.write_text(names.rewritten(path.read_text("utf-8"), tags), "utf-8")
        return drawn / folder.relative_to(self.exercise.folder)

    def judge_objects(self, objects: Sequence[object], progress: Progress) -> Finding:
        """Return what is found in a namespace that is given these objects, and no other; it goes afterwards.

        Parameters
        ----------
        objects : sequence
            A snapshot that somebody handed in: what may not be applied is refused as in class.
        """
        try:
            sound = guard.read_objects(self.exercise, objects)
        except guard.RefusedAnswerError as refused:
            return refused.finding
        with self._alone("Corriger"):
            self.namespace.delete()
            self.namespace.create(passing=True)
            try:
                bench = self._bench(progress)
                for tag in self.exercise.image_tags:
                    bench.image(tag)
                try:
                    bench.apply(sound)
                except (ManifestError, ApiRefusedError, UsageError) as error:
                    return Finding(
                        "refuse", f"le cluster refuse la réponse. {judging.words(error)}"
                    )
                with contextlib.suppress(WaitTimeoutError):
                    bench.wait_settled()
                return judging.watched(self.exercise, bench)
            finally:
                self.namespace.delete(timeout_s=0)

    def _bench(self, progress: Progress) -> Bench:
        return Bench(self.cluster, self.namespace, self.exercise, {}, progress)

    def _require_begun(self) -> dict[str, Any]:
        """Return the metadata of the namespace of an exercise that has begun.

        Raises
        ------
        UsageError
            There is no namespace, one on its way out, or one whose start was stopped halfway.
        """
        metadata = self.namespace.metadata()
        if metadata is not None and _STARTED in metadata["annotations"]:
            return metadata
        raise UsageError(
            f"Vérifier l’exercice « {self.exercise.name} »",
            f"son espace de noms « {self.namespace.asked} » n’existe pas : l’exercice n’a pas commencé, ou l’espace de "
            "noms a été supprimé depuis",
            f'Commencez-le (à neuf) par start("{self.exercise.name}"), ou par « k8s-lab exercise start '
            f"{self.exercise.name} » dans un terminal.",
        )

    @contextlib.contextmanager
    def _alone(self, verb: str) -> Iterator[None]:
        """Keep other notebooks and terminals from starting, checking or stopping the same exercise meanwhile."""
        folder = _paths.state_dir() / "exercises"
        folder.mkdir(parents=True, exist_ok=True)
        provider = self.cluster.provider
        with (folder / f"{provider.kind}-{provider.name}-{self.namespace.asked}.lock").open(
            "w"
        ) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BusyError(
                    f"{verb} l’exercice « {self.exercise.name} »",
                    "un autre notebook ou un terminal y travaille en ce moment (start, check ou stop)",
                    "Attendez qu’il ait fini, puis relancez la cellule.",
                ) from None
            yield


@stoppable
def start(
    name: str, cluster: Cluster | None = None, progress: Progress | None = None
) -> StartedExercise:
    """Begin an exercise that is judged by the state of its namespace, or begin it anew.

    The namespace is emptied, gets what the exercise gives (a broken application, or nothing), and becomes the one
    where plain `kubectl` looks, here and in terminals.

    Parameters
    ----------
    name : str
        The exercise's id ("16-image").
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Shows each act; otherwise what fits (notebook, terminal, log).

    Returns
    -------
    StartedExercise
        The statement, and where to work.

    Raises
    ------
    UsageError
        There is no exercise of that id, or it is answered otherwise.
    BusyError
        It is being started, checked or stopped elsewhere.
    """
    exercise = load(name)
    with reporting(progress) as reporter:
        workspace = Workspace(cluster or current_cluster(), exercise)
        sharing.begin(workspace.cluster)
        journal.change(lambda before: before.active(name))
        started = workspace.start(reporter)
        workspace.namespace.use()
    return started


@stoppable
def stop(*names: str, cluster: Cluster | None = None, progress: Progress | None = None) -> None:
    """Delete the namespaces of exercises that `start` began, with all in them.

    Parameters
    ----------
    *names : str
        The exercises' ids; nothing happens for one that has not begun.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Shows each act; otherwise what fits (notebook, terminal, log).
    """
    with reporting(progress) as reporter:
        for name in names:
            reporter.step(f"Fin de l’exercice « {name} »")
            Workspace(cluster or current_cluster(), load(name)).stop()


def check_state(
    exercise: Exercise, answer: tuple[object, ...], cluster: Cluster | None, progress: Progress
) -> Finding:
    """Return what is found in an exercise's namespace; see `Workspace.check` for the errors.

    Raises
    ------
    UsageError
        An answer is given, which nobody would apply.
    """
    if answer:
        raise UsageError(
            f"Vérifier l’exercice « {exercise.name} »",
            "vous donnez une réponse, et cet exercice regarde votre espace de noms",
            f'Appliquez-la vous-même (« kubectl apply -f … »), puis : check("{exercise.name}").',
        )
    return Workspace(cluster or current_cluster(), exercise).check(progress)
