"""What all tests share: a home folder of the run's own, one embedded cluster, one kind cluster, one namespace a test.

Nothing here touches the user's own clusters: the run gets its own `K8S_HELPERS_HOME` (of which only the cache of
programs is the user's) and its own folder of temporary files, and at the end nothing may be left of either.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import leftovers
import psutil
import pytest

from k8s_helpers import _paths
from k8s_helpers._errors import BinariesError, EngineError, PlatformError
from k8s_helpers._progress import Lines

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace

KIND_NAMES = "k8s-helpers-test-"
"""How the names of the kind clusters of all runs begin; the number of the run's process follows."""

KIND_NAME = f"{KIND_NAMES}{os.getpid()}"

KEPT_CACHE = ("bin", "debian-images", "first-data", "jars", "traefik")
"""What the run shares with the user: what is slow to make. Not images that were pulled: they must decide no test."""

NO_REGISTRY = "*=http://127.0.0.1:1"
"""Where every registry is looked for: nobody listens there, and nothing leaves this machine."""


class Home:
    """The run's own home folder, and what the run must not leave."""

    def __init__(self) -> None:
        cache = _paths.cache_dir()
        # Sockets live below it, and a socket's path is short (man 7 unix): hence /tmp itself.
        folder, prefix = os.path.split(leftovers.HOMES)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        self.temporary = self.path / "tmp"
        self.temporary.mkdir()
        (self.path / "cache").mkdir()
        for name in KEPT_CACHE:
            (cache / name).mkdir(parents=True, exist_ok=True)
            (self.path / "cache" / name).symlink_to(cache / name)
        self.kind_used = False

    def enter(self) -> None:
        """Make this process and all that it starts use the folder."""
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        os.environ["K8S_HELPERS_HOME"] = str(self.path)
        os.environ["K8S_HELPERS_REGISTRY_MIRRORS"] = NO_REGISTRY
        os.environ["K8S_HELPERS_LIVE"] = "0"
        os.environ["K8S_HELPERS_LIVE_REHEARSAL"] = "1"
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.temporary)
        os.environ.pop("KUBECONFIG", None)
        # Names that are not the cluster's are asked of nobody.
        os.environ["K8S_HELPERS_RESOLV_CONF"] = os.devnull
        # Notebooks choose by these; on kind they must not meet the cluster of the user's own course.
        if os.environ.setdefault("K8S_HELPERS_PROVIDER", "embedded") == "kind":
            os.environ["K8S_HELPERS_CLUSTER"] = KIND_NAME
            self.kind_used = True

    def stop_clusters(self) -> None:
        """Delete every cluster that the run made."""
        from k8s_helpers._progress import Silent

        for folder in sorted(self.path.glob("state/clusters/embedded/*")):
            from k8s_helpers.providers.embedded import EmbeddedProvider

            EmbeddedProvider(folder.name).down(Silent())
        if self.kind_used:
            from k8s_helpers.providers.kind.provider import KindProvider

            KindProvider(KIND_NAME).down(Silent())

    def close(self) -> list[str]:
        """Stop everything and return what is left all the same, in words."""
        listens = {
            address for process in leftovers.our_processes(self.path) for address in process.listens
        }
        trouble = []
        try:
            self.stop_clusters()
        except Exception as error:
            trouble.append(f"stopping the clusters failed: {error!r}")
        trouble += leftovers.settled(lambda: self._processes() + self._ports(listens))
        trouble += [f"temporary file {name}" for name in leftovers.files_in(self.temporary)]
        trouble += self._containers()
        shutil.rmtree(self.path, ignore_errors=True)
        return trouble

    def _processes(self) -> list[str]:
        return [
            f"process {process.pid}: {process.command}"
            for process in leftovers.our_processes(self.path)
        ]

    def _ports(self, listens: set[str]) -> list[str]:
        still = sorted(listens & leftovers.listening(self.path))
        return [f"{address} is still listened on" for address in still]

    def _containers(self) -> list[str]:
        if not self.kind_used:
            return []
        from embedded_kubernetes.processes import run

        engine = os.environ.get("KIND_EXPERIMENTAL_PROVIDER", "docker")
        label = f"label=io.x-k8s.kind.cluster={KIND_NAME}"
        left = run(
            [engine, "ps", "--all", "--quiet", "--filter", label], timeout_s=30
        ).stdout.split()
        return [f"container {name}" for name in left]


def _delete_kind_of_dead_runs() -> None:
    """Delete the kind clusters of runs that were killed: they would keep ports and memory, and be there for ever."""
    from embedded_kubernetes.processes import run

    listed = run(["kind", "get", "clusters"], timeout_s=30, check=False).stdout.split()
    for name in listed:
        pid = name.removeprefix(KIND_NAMES)
        if pid != name and pid.isdigit() and not psutil.pid_exists(int(pid)):
            with tempfile.TemporaryDirectory() as folder:
                kubeconfig = str(Path(folder) / "kubeconfig")
                argv = ["kind", "delete", "cluster", "--name", name, "--kubeconfig", kubeconfig]
                run(argv, timeout_s=120, check=False)


_HOME = pytest.StashKey[Home]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Move into a home of the run's own before anything is collected."""
    home = session.config.stash[_HOME] = Home()
    home.enter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the clusters and fail the run where something is left of it."""
    left = session.config.stash[_HOME].close()
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for line in left:
            print(f"\nLEFT BEHIND: {line}", file=sys.stderr)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a cluster by the fixtures that it asks for."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "kind_cluster" in names:
            item.add_marker("kind")
        if "cluster" in names or "namespace" in names:
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def home(pytestconfig: pytest.Config) -> Path:
    """The run's own `K8S_HELPERS_HOME`."""
    return pytestconfig.stash[_HOME].path


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The embedded cluster of this run, started once; notebooks under test find it running too.

    It lives until the end of the run (`pytest_sessionfinish`), not of this fixture, as notebooks' kernels use it.
    """
    from k8s_helpers.cluster import connect

    try:
        return connect(provider="embedded", progress=Lines())
    except (PlatformError, BinariesError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def _namespace_name(node_name: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "-", node_name.lower()).strip("-")[:40].strip("-")
    return f"{word}-{secrets.token_hex(2)}"


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A namespace of the test's own in the embedded cluster, deleted after it without waiting for its end."""
    made = cluster.namespace(_namespace_name(request.node.name)).create()
    yield made
    made.delete(timeout_s=0)


@pytest.fixture(scope="session")
def kind_cluster(pytestconfig: pytest.Config) -> Cluster:
    """A kind cluster, made once; the test is skipped where there cannot be one.

    With `K8S_HELPERS_REQUIRE_KIND=1` (CI) what cannot be is a failure. It is deleted at the end of the run.
    """
    from k8s_helpers.cluster import connect

    pytestconfig.stash[_HOME].kind_used = True
    if shutil.which("kind") is not None:
        _delete_kind_of_dead_runs()
    try:
        return connect(provider="kind", name=KIND_NAME, progress=Lines())
    except (EngineError, PlatformError) as error:
        pytestconfig.stash[_HOME].kind_used = False
        if os.environ.get("K8S_HELPERS_REQUIRE_KIND") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def kind_namespace(kind_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A namespace of the test's own in the kind cluster, deleted after it without waiting for its end."""
    made = kind_cluster.namespace(_namespace_name(request.node.name)).create()
    yield made
    made.delete(timeout_s=0)


@pytest.fixture
def environment() -> Iterator[os._Environ[str]]:
    """`os.environ`, put back after the test whatever the test did to it."""
    before = dict(os.environ)
    with contextlib.ExitStack() as stack:
        stack.callback(os.environ.update, before)
        stack.callback(os.environ.clear)
        yield os.environ
