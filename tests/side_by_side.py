"""Small manifests whose behaviour must be the same on kind and on the embedded cluster: what a check is given.

A case is a folder of `tests/cases`: `manifest.yaml`, and `check.py` with one function `check(case)` which applies it
and asserts what a real cluster does. The expectation is written once; `tests/cluster/test_cases.py` holds it against
both. Where a provider cannot show it, `check.py` says so in words: `REFUSED = {"embedded": "reason"}`.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from embedded_kubernetes.processes import Completed, run
from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.cluster.clusters import environment

T = TypeVar("T")

CASES = Path(__file__).parent / "cases"
TOGETHER = 6
"""Cases of one provider that are under way at the same time: they wait more than they work."""

HOST_IMAGES = {
    "busybox:1.35": "host/shell",
    "python:3.11": "host/python",
    "eclipse-temurin:17": "host/java",
}
"""Images of the cases → what the embedded cluster runs them with, as nothing can be pulled in a test."""

_POLL_S = 0.2


class Case:
    """One manifest in a namespace of its own, on one provider.

    Parameters
    ----------
    folder : Path
        With `manifest.yaml`.
    provider : str
        "embedded" or "kind". An expectation should not need it.
    cluster : Cluster
        Where it runs.
    namespace : Namespace
        Its own, made already.
    """

    def __init__(self, folder: Path, provider: str, cluster: Cluster, namespace: Namespace) -> None:
        self.folder = folder
        self.provider = provider
        self.cluster = cluster
        self.namespace = namespace

    def kubectl(self, *args: str, stdin: str | None = None, timeout_s: float = 60.0) -> Completed:
        """Run kubectl in the namespace to its end; exit status and output are for the check to judge."""
        return run(
            ["kubectl", "--namespace", self.namespace.name, *args],
            timeout_s=timeout_s,
            env=environment(self.cluster.provider),
            stdin=stdin,
            check=False,
        )

    def out(self, *args: str, stdin: str | None = None, timeout_s: float = 60.0) -> str:
        """Run kubectl, which must succeed, and return what it prints."""
        done = self.kubectl(*args, stdin=stdin, timeout_s=timeout_s)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr or done.stdout}"
        return done.stdout

    def apply(self, file: str = "manifest.yaml") -> None:
        """Apply a manifest of the folder, as a student would: with kubectl."""
        self.out("apply", "--filename", "-", stdin=self.text(file))

    def text(self, file: str = "manifest.yaml") -> str:
        """Return a manifest; on the embedded cluster with this machine's programs in place of an image's."""
        text = (self.folder / file).read_text()
        if self.provider == "embedded":
            for image, name in HOST_IMAGES.items():
                text = text.replace(image, name)
        return text

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return one object; cheap enough to be asked again and again."""
        return self.namespace.get(kind, name)

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return one object, or None where it does not exist."""
        items = [item for item in self.namespace.list(kind) if item["metadata"]["name"] == name]
        return items[0] if items else None

    def list(self, kind: str, selector: str | None = None) -> list[dict[str, Any]]:
        """Return the objects of a kind, of which a label selector may choose some."""
        return self.namespace.list(kind, selector)

    def status(self, pod: str, container: str | None = None) -> dict[str, Any]:
        """Return the status of a container (the first one by default); {} before there is one."""
        status = self.get("pod", pod).get("status") or {}
        groups = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        every = [one for group in groups for one in status.get(group) or ()]
        named = [one for one in every if container in (None, one["name"])]
        return named[0] if named else {}

    def is_out_of_memory(self, ended: Mapping[str, Any]) -> bool:
        """Return whether a container was killed for its memory.

        containerd, which kind uses, says "Error" where the news of it comes after the container's end (seen with
        v2.3.4; https://github.com/containerd/containerd/issues/12372).
        """
        reasons = ("OOMKilled", "Error") if self.provider == "kind" else ("OOMKilled",)
        return ended["exitCode"] == 137 and ended["reason"] in reasons

    def column(self, pod: str, name: str = "STATUS") -> str:
        """Return what `kubectl get pod` prints for a pod under the head of a column."""
        head, line = self.out("get", "pod", pod).splitlines()[:2]
        start = head.index(name)
        return line[start:].split("  ")[0].strip()

    def events(self, name: str | None = None, reason: str | None = None) -> list[dict[str, Any]]:
        """Return the namespace's events, oldest first: of one object, of one reason."""
        return [
            event
            for event in self.namespace.events()
            if name in (None, event["involvedObject"]["name"])
            and reason in (None, event.get("reason"))
        ]

    def logs(self, pod: str, container: str | None = None, **options: Any) -> str:
        """Return what a container wrote; options as those of `Namespace.logs`."""
        return self.namespace.logs(pod, container, **options)

    def eventually(self, test: Callable[[], T], timeout_s: float = 60.0) -> T:
        """Return the first true answer of `test`; fail with its last one after `timeout_s` seconds."""
        end_s = time.monotonic() + timeout_s
        while True:
            answer: Any = None
            try:
                answer = test()
            except (AssertionError, KeyError, IndexError, K8sHelpersError) as error:
                answer, trouble = None, error
            else:
                trouble = None
            if answer:
                return answer
            if time.monotonic() > end_s:
                raise AssertionError(
                    f"still {trouble or answer!r} after {timeout_s:.0f} s"
                ) from trouble
            time.sleep(_POLL_S)

    def during(self, test: Callable[[], Any], duration_s: float) -> None:
        """Fail as soon as `test` is not true within `duration_s` seconds."""
        end_s = time.monotonic() + duration_s
        while time.monotonic() < end_s:
            assert test()
            time.sleep(_POLL_S)

    def phase(self, pod: str) -> str:
        """Return a pod's phase."""
        return str((self.get("pod", pod).get("status") or {}).get("phase", ""))

    def ready(self, pod: str) -> bool:
        """Return whether a pod is Ready."""
        conditions = (self.get("pod", pod).get("status") or {}).get("conditions") or ()
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@dataclass(frozen=True)
class CaseFolder:
    """A folder of `tests/cases`, read."""

    path: Path
    check: Callable[[Case], None]
    refused: Mapping[str, str]
    """Provider → why it cannot show this one."""

    @property
    def name(self) -> str:
        """The folder's name: number and subject."""
        return self.path.name


def case_folders() -> list[CaseFolder]:
    """Return all cases, in the order of their names."""
    return [_read(path.parent) for path in sorted(CASES.glob("*/check.py"))]


def _read(folder: Path) -> CaseFolder:
    module = _module(folder)
    return CaseFolder(folder, module.check, getattr(module, "REFUSED", {}))


def _module(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"case_{folder.name}", folder / "check.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Lineup:
    """The cases of one provider, begun together, each waited for by its own test.

    Parameters
    ----------
    provider : str
        "embedded" or "kind".
    cluster : Cluster
        Where they run.
    folders : sequence of CaseFolder
        Those that were asked for.
    """

    def __init__(self, provider: str, cluster: Cluster, folders: Sequence[CaseFolder]) -> None:
        self._provider = provider
        self._cluster = cluster
        self._pool = ThreadPoolExecutor(TOGETHER, thread_name_prefix=f"case-{provider}")
        self._results: dict[str, Future[None]] = {
            folder.name: self._pool.submit(self._run, folder) for folder in folders
        }

    def result(self, name: str) -> None:
        """Wait for a case's end; raise what its check raised."""
        self._results[name].result()

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, folder: CaseFolder) -> None:
        name = "case-" + folder.name.replace("_", "-")
        namespace = self._cluster.namespace(name).create()
        try:
            folder.check(Case(folder.path, self._provider, self._cluster, namespace))
        finally:
            namespace.delete(timeout_s=0)


def lineup(provider: str, cluster: Cluster, folders: Sequence[CaseFolder]) -> Iterator[Lineup]:
    """Begin cases together, and end them: the body of a fixture."""
    made = Lineup(provider, cluster, folders)
    try:
        yield made
    finally:
        made.close()
