"""What `benchmarks.peers` compares: ways to a cluster on this machine, each behind the same four methods."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from embedded_kubernetes.node.runtime import proctree
from embedded_kubernetes.processes import run
from embedded_kubernetes.programs import binaries
from k8s_helpers import _paths
from k8s_helpers.kube.api import ApiSession
from k8s_helpers.providers.kind.engine import find_engine

from . import load_generator
from .harness import NAME

_UP_S, _DOWN_S = 600.0, 180.0


class Side(ABC):
    """One way to a cluster.

    Parameters
    ----------
    folder : Path
        A short folder of its own; what the side keeps is below it.
    """

    name: ClassVar[str]
    """As tables say it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, once the cluster is up."""

    @abstractmethod
    def up(self) -> None:
        """Make a new cluster with a node; return when its own tool says that it is there."""

    @abstractmethod
    def image(self, api: ApiSession) -> str:
        """Return an image that does nothing and need not be pulled."""

    @abstractmethod
    def pids(self) -> list[int]:
        """Return every process of the running cluster."""

    @abstractmethod
    def down(self) -> None:
        """Delete the cluster."""


class Embedded(Side):
    """The embedded cluster of the package that an interpreter imports.

    Parameters
    ----------
    folder : Path
        Its home.
    python : str
        The interpreter.
    """

    name = "embarqué"

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        super().__init__(folder)
        self._python = python
        if not (cache := folder / "cache").exists():
            cache.symlink_to(_paths.cache_dir())

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, once the cluster is up."""
        return self.folder / "state" / "clusters" / "embedded" / NAME / "kubeconfig"

    def up(self) -> None:
        """Run `k8s-lab up`."""
        self._lab("up", _UP_S)

    def image(self, api: ApiSession) -> str:
        """Return the embedded cluster's own pause."""
        return "host/pause"

    def pids(self) -> list[int]:
        """Return the supervisor and all below it."""
        return processes_of(self.folder)

    def down(self) -> None:
        """Run `k8s-lab down`."""
        self._lab("down", _DOWN_S)

    def _lab(self, command: str, timeout_s: float) -> None:
        lab = [self._python, "-c", "from k8s_helpers.cli import main; main()"]
        where = ["--provider", "embedded", "--name", NAME]
        env = {"K8S_HELPERS_HOME": str(self.folder)}
        run([*lab, command, *where], timeout_s=timeout_s, env=env, cwd=self.folder)


class Before(Embedded):
    """The embedded cluster of another revision."""

    name = "embarqué avant"


class Kwok(Side):
    """kwokctl on the same programs of Kubernetes, with one fake node: its pods are said to run, and nothing runs."""

    name = "kwokctl (pods fictifs)"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, once the cluster is up."""
        return self.folder / "kubeconfig"

    def up(self) -> None:
        """Create a cluster and its node."""
        programs = binaries.cached()
        assert programs is not None
        given = {
            "etcd": "etcd-binary",
            "kube-apiserver": "kube-apiserver-binary",
            "kube-controller-manager": "kube-controller-manager-binary",
            "kube-scheduler": "kube-scheduler-binary",
        }
        options = [f"--{option}={programs.folder / program}" for program, option in given.items()]
        options += [
            f"--kwok-controller-binary={load_generator.tool('kwok')}",
            f"--kubeconfig={self.kubeconfig}",
            "--disable-qps-limits",
            "--wait=120s",
        ]
        self._kwokctl("create", "cluster", "--runtime=binary", *options)
        self._kwokctl("scale", "node", "--replicas=1")

    def image(self, api: ApiSession) -> str:
        """Return any name: nobody looks."""
        return "none"

    def pids(self) -> list[int]:
        """Return the components, which kwokctl starts and leaves to themselves."""
        return processes_of(self.folder)

    def down(self) -> None:
        """Delete the cluster."""
        self._kwokctl("delete", "cluster", f"--kubeconfig={self.kubeconfig}")

    def _kwokctl(self, *words: str) -> None:
        env = {"KWOK_WORKDIR": str(self.folder)}
        argv = [load_generator.tool("kwokctl"), *words, f"--name={NAME}"]
        run(argv, timeout_s=_UP_S, env=env)


class Kind(Side):
    """kind, by its own command: everything in one container."""

    name = "kind"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, once the cluster is up."""
        return self.folder / "kubeconfig"

    def up(self) -> None:
        """Create a cluster."""
        image = os.environ.get("K8S_HELPERS_KIND_NODE_IMAGE")
        chosen = ["--image", image] if image else []
        where = ["--name", NAME, "--kubeconfig", str(self.kubeconfig)]
        run(["kind", "create", "cluster", *where, *chosen], timeout_s=_UP_S)

    def image(self, api: ApiSession) -> str:
        """Return the node's pause image."""
        images = api.request("GET", "/api/v1/nodes")["items"][0]["status"]["images"]
        return next(name for image in images for name in image["names"] if "/pause:" in name)

    def pids(self) -> list[int]:
        """Return all that runs in the node's container, images' programs included."""
        engine = find_engine()
        assert engine is not None
        asked = [engine, "inspect", "--format", "{{.State.Pid}}", f"{NAME}-control-plane"]
        return proctree.tree([int(run(asked, timeout_s=30).stdout)])

    def down(self) -> None:
        """Delete the cluster."""
        where = ["--name", NAME, "--kubeconfig", str(self.kubeconfig)]
        run(["kind", "delete", "cluster", *where], timeout_s=_DOWN_S)


def processes_of(folder: Path) -> list[int]:
    """Return the processes whose command line names something below a folder, and all below them."""
    mark = os.fsencode(folder) + b"/"
    roots = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes():
                roots.append(int(path.parent.name))
        except OSError:
            continue  # it has just ended
    return sorted(set(proctree.tree(roots)))
