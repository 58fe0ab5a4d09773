"""What an experiment observed: frozen data, saved as one JSON, read back to the same data.

A recording is the seam of the project. Everything that makes one touches a cluster; everything that reads one
(`analysis`, the summaries and charts of `labs`, notebooks without a cluster) is pure.

What labs write into it are codes and typed facts; words come where they are shown. Files of format 1, whose facts were
French words, are still read: `old_format.py` translates them.

Times are seconds from the start of their run, as floats. The wall clock is kept once, in `Run.started_at`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from embedded_kubernetes.files import write_whole

from .. import _french
from .._errors import RecordingError

SCHEMA = 2
"""Of the files that are written; those of 1 are read too."""

Source = Literal["api", "receipt"]
"""Where a time comes from: the API object itself (whole seconds or better), or the watch event's receipt."""

PodEventKind = Literal[
    "created",
    "scheduled",
    "started",
    "ready",
    "unready",
    "died",
    "waiting",
    "restarted",
    "terminating",
    "exited",
    "deleted",
]
"""A container tells each of its starts ("started"), deaths ("died", with reason and exit code) and reasons to wait
("waiting": CrashLoopBackOff, ImagePullBackOff …); "restarted" is told once its count of restarts has grown."""

ErrorKind = Literal["refused", "reset", "closed", "timeout", "status", "content", "unsent", "other"]
"""Why a request failed: connection refused, reset, closed without answer, no answer in time, an HTTP status of 400
or more, a good status without what the page is to contain, never sent (the client could not keep up), anything else."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request of the traffic.

    Attributes
    ----------
    planned_s, sent_s, answered_s : float
        When it was due, when it left, when its answer (or its failure) was complete. Open loop: `planned_s` does not
        depend on any answer.
    status : int or None
        HTTP status; None where no answer came.
    version, pod : str or None
        What the program said of itself (headers `X-App-Version`, `X-Pod-Name`).
    error : ErrorKind or None
        None for a request that succeeded.
    """

    planned_s: float
    sent_s: float
    answered_s: float
    status: int | None = None
    version: str | None = None
    pod: str | None = None
    error: ErrorKind | None = None

    @property
    def ok(self) -> bool:
        """Whether the client got a good answer."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class PodEvent:
    """A change in a pod's life, as the watch of the API showed it."""

    at_s: float
    pod: str
    uid: str
    kind: PodEventKind
    source: Source
    version: str | None = None
    """The pod's label `version` (or its image's tag)."""
    container: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EndpointsEvent:
    """The ready addresses behind a Service after a change of its EndpointSlices."""

    at_s: float
    service: str
    ready: tuple[str, ...]
    """Names of the pods that receive traffic."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a measured quantity (CPU in cores, memory in bytes, replicas …)."""

    at_s: float
    name: str
    value: float
    subject: str = ""
    """What it was measured on: a pod's or a Deployment's name."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One answer that a probe got.

    Attributes
    ----------
    probe : str
        "startup", "readiness" or "liveness".
    source : str
        "event": the kubelet's Event (it tells failures only); "log": the program's own log of who asked.
    """

    at_s: float
    pod: str
    probe: str
    ok: bool
    source: Literal["event", "log"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """A Kubernetes Event (kind `Event`): told again each time its count grows."""

    at_s: float
    kind: str
    """What it is about: "Pod", "Deployment", "HorizontalPodAutoscaler" …"""
    name: str
    reason: str
    message: str
    count: int = 1
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that the experiment did or saw: "apply", "switch", "switch-back", "complete" and the like.

    Attributes
    ----------
    facts : mapping
        What was seen then, as plain JSON values by name.
    """

    at_s: float
    kind: str
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that was tried on purpose, and what came of it: `who`, `what` and `answer` are codes of the lab."""

    at_s: float
    who: str
    """From where, or as whom."""
    what: str
    ok: bool
    """Whether it was possible; no judgement of whether it should be."""
    answer: str
    """What came of it: "v1", "403"."""
    detail: str = ""
    """What was said there and then."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong in the cluster itself during the run (a component died and came back)."""

    at_s: float
    component: str
    what: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an experiment: one strategy, one variant, one load profile, with its own clock."""

    name: str
    started_at: str
    """Wall-clock start, ISO 8601 with time zone."""
    ended_s: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    pods: tuple[PodEvent, ...] = ()
    endpoints: tuple[EndpointsEvent, ...] = ()
    samples: tuple[Sample, ...] = ()
    marks: tuple[Mark, ...] = ()
    incidents: tuple[Incident, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    attempts: tuple[Attempt, ...] = ()

    def mark(self, kind: str) -> Mark | None:
        """Return the first mark of that kind, if there is one."""
        return next((mark for mark in self.marks if mark.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Recording:
    """An experiment's runs with where they were made.

    Attributes
    ----------
    experiment : str
        "update", "probes", "autoscaling", "memory" …
    provider : str
        "kind", "embedded" or "existing".
    kubernetes_version : str
        The API server's `gitVersion`.
    runs : tuple of Run
        In the order in which they were asked for.
    """

    experiment: str
    provider: str
    kubernetes_version: str
    runs: tuple[Run, ...]

    @property
    def where(self) -> str:
        """The kind of cluster as French sentences name it: "cluster embarqué"."""
        names = {"embedded": "embarqué", "existing": "existant"}
        return f"cluster {names.get(self.provider, self.provider)}"

    def run(self, name: str) -> Run:
        """Return the run of that name.

        Raises
        ------
        RecordingError
            Where the recording has no such run.
        """
        for run in self.runs:
            if run.name == name:
                return run
        names = ", ".join(run.name for run in self.runs) or "aucun"
        raise RecordingError(
            f"Chercher « {name} » dans l’enregistrement « {self.experiment} »",
            f"il contient : {names}",
            "Choisissez l’un de ces noms, ou refaites la mesure avec celui qui manque.",
        )

    def save(self, path: Path | str) -> Path:
        """Write the recording as one JSON file and return its path."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, self.to_json())
        return target

    def to_json(self) -> str:
        """Return the recording as JSON: lists of records are kept by column, which is four times smaller."""
        head = {
            "schema": SCHEMA,
            "experiment": self.experiment,
            "provider": self.provider,
            "kubernetes_version": self.kubernetes_version,
            "runs": [_run_to_plain(run) for run in self.runs],
        }
        return json.dumps(head, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, path: Path | str) -> Recording:
        """Read a recording written by `save`.

        Raises
        ------
        RecordingError
            No such file, not JSON, or not a recording of this schema.
        """
        tried = f"Lire l’enregistrement {path}"
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            text = ""
        except OSError as error:
            raise RecordingError(
                tried, _french.system(error), "Vérifiez le chemin du fichier."
            ) from None
        if not text.lstrip().startswith("{"):
            raise RecordingError(
                tried,
                "ce n’est pas un enregistrement",
                "Donnez un fichier écrit par « k8s-lab measure » : recording.json.",
            )
        try:
            plain = json.loads(text)
        except ValueError:
            raise RecordingError(
                tried,
                "le fichier s’arrête avant la fin de son JSON, ou il est abîmé",
                "Refaites la mesure : son écriture a peut-être été coupée.",
            ) from None
        try:
            schema = plain["schema"]
            if type(schema) is not int or schema not in (1, SCHEMA):
                newer = isinstance(schema, int) and schema > SCHEMA
                raise RecordingError(
                    tried,
                    f"format {schema!r}, {'plus récent que' if newer else 'inconnu de'} cette version du cours, "
                    f"qui lit 1 et {SCHEMA}",
                    "Mettez le cours à jour (git pull, make env), ou refaites la mesure ici.",
                )
            if schema == 1:
                from . import old_format

                old_format.translate(plain)
            return cls(
                plain["experiment"],
                plain["provider"],
                plain["kubernetes_version"],
                tuple(_run_from_plain(run) for run in plain["runs"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordingError(
                tried,
                f"ce n’est pas un enregistrement ({error!r})",
                "Donnez un fichier écrit par « k8s-lab measure ».",
            ) from None


_COLUMNS: dict[str, type] = {
    "requests": Request,
    "pods": PodEvent,
    "endpoints": EndpointsEvent,
    "samples": Sample,
    "marks": Mark,
    "incidents": Incident,
    "probes": ProbeResult,
    "events": ClusterEvent,
    "attempts": Attempt,
}


def _run_to_plain(run: Run) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": run.name,
        "started_at": run.started_at,
        "ended_s": _plain(run.ended_s),
        "parameters": dict(run.parameters),
    }
    for name, kind in _COLUMNS.items():
        if records := getattr(run, name):
            plain[name] = _pack(records, kind)
    return plain


def _run_from_plain(plain: Mapping[str, Any]) -> Run:
    records: dict[str, Any] = {
        name: _unpack(plain[name], kind) if name in plain else () for name, kind in _COLUMNS.items()
    }
    return Run(
        name=plain["name"],
        started_at=plain["started_at"],
        ended_s=plain["ended_s"],
        parameters=plain["parameters"],
        **records,
    )


# Lists of records are kept by column: four times smaller than one object a record.

Record = TypeVar("Record")


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it: times to a tenth of a millisecond."""
    return round(value, 4) if isinstance(value, float) else value


def _pack(records: Sequence[Any], kind: type) -> dict[str, list[Any]]:
    """Return records as one list a field; fields that have nothing but their default are left out."""
    columns = {
        item.name: [_plain(getattr(record, item.name)) for record in records]
        for item in fields(kind)
    }
    defaults = {item.name: _default(item) for item in fields(kind)}
    return {
        name: values
        for name, values in columns.items()
        if any(value != defaults[name] for value in values)
    }


def _unpack(columns: Mapping[str, list[Any]], kind: type[Record]) -> tuple[Record, ...]:
    """Return the records that `_pack` has packed.

    Raises
    ------
    TypeError
        A field without default is not there.
    ValueError
        Columns of different lengths.
    """
    names = [item.name for item in fields(kind) if item.name in columns]  # type: ignore[arg-type]
    rows: Iterable[tuple[Any, ...]] = zip(*(columns[name] for name in names), strict=True)
    return tuple(
        kind(
            **{
                name: tuple(cell) if isinstance(cell, list) else cell
                for name, cell in zip(names, row, strict=True)
            }
        )
        for row in rows
    )


def _default(item: Field[Any]) -> Any:
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default
