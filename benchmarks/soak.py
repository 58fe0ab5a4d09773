"""A long run: what the node and its supervisor hold while a cluster is used hard, which must not grow.

python -m benchmarks soak --minutes 30 --figure docs/images/endurance.png
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded_kubernetes.control import control_socket, lifecycle
from k8s_helpers import _progress
from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.cluster import Cluster, Namespace, connect
from k8s_helpers.cluster.clusters import environment

from . import processes
from .row import Row

NAME = "endurance"
"""Name of the cluster, which the run makes and deletes."""

BAR = 1.2
SAMPLE_S = 5.0
SETTLE_S = 120.0
"""What has been reached by then is compared with what there is at the end."""

WINDOW_S = 60.0
_FAILED_PERCENT = 5.0
"""A rollout may end a pod just as a command is to run in it."""

_ROUND_S = 90.0
"""After that long the pods that crash are made anew: their back-off would let them rest for minutes."""

QUANTITIES = {
    "pss_mb": ("Mémoire (Pss)", "Mo"),
    "descriptors": ("Descripteurs de fichiers", ""),
    "tasks": ("Tâches asyncio", ""),
    "threads": ("Fils d’exécution", ""),
}
ACTORS = {"node": "nœud et lanceur de conteneurs", "supervisor": "superviseur"}
_COLOURS = {"node": "#0072B2", "supervisor": "#D55E00"}


@dataclass(frozen=True)
class Held:
    """What one actor holds at one instant."""

    pss_mb: float
    descriptors: int
    tasks: int
    threads: int


@dataclass(frozen=True)
class Sample:
    """One look at both actors, at an instant from the run's start."""

    at_s: float
    node: Held
    supervisor: Held


def measure(minutes: float = 30.0, figure: Path | None = None) -> Iterator[Row]:
    """Use a cluster of its own for so long; one row for each quantity of each actor."""
    provider_cluster = connect(provider="embedded", name=NAME, progress=_progress.Lines())
    began_wall_s = time.time()
    try:
        node_pid = processes.components(NAME)[f"{NAME}-node-1"]
        # It is not deleted by itself: the cluster is, with all that is in it.
        work = _Work(provider_cluster, provider_cluster.namespace("endurance").create())
        samples = work.watch_over(60 * minutes)
        if figure is not None:
            draw(samples, figure)
        incidents = provider_cluster.incidents(began_wall_s)
        same_node = processes.components(NAME)[f"{NAME}-node-1"] == node_pid
    finally:
        provider_cluster.provider.down(_progress.Silent())
    result = {
        "minutes": minutes,
        "work": dict(sorted(work.done.items())),
        "failures": dict(sorted(work.failed.items())),
        "incidents": [f"{one.component}: {one.what}" for one in incidents],
        "ratios": ratios(samples),
        "last": asdict(samples[-1]),
    }
    print(json.dumps(result, ensure_ascii=False), file=sys.stderr)
    span = f"{minutes:g} min"
    for (actor, quantity), ratio in _pairs(samples):
        words = f"soak of {span}, {actor}: {quantity} at the end / after two minutes"
        yield Row(words, ratio, "", f"≤ {BAR:g}", ratio <= BAR)
    attempts = sum(work.done.values()) + sum(work.failed.values())
    failed = sum(work.failed.values()) / attempts
    idle = [name for name in work.lanes if not work.done.get(name)]
    yield Row(
        f"soak of {span}: attempts that failed, of {attempts}",
        100 * failed,
        "%",
        f"≤ {_FAILED_PERCENT:g}",
        100 * failed <= _FAILED_PERCENT and not idle,
    )
    yield Row(
        f"soak of {span}: components that died or hung",
        len(incidents) + (not same_node),
        "",
        "≤ 0",
        not incidents and same_node,
    )


def settled_s(samples: Sequence[Sample]) -> float:
    """Return the instant of the comparison: two minutes, or a third of a shorter run."""
    return min(SETTLE_S, samples[-1].at_s / 3)


def ratios(samples: Sequence[Sample]) -> dict[str, float]:
    """Return for each quantity ("node.tasks") its median at the end over that after two minutes."""
    return {f"{actor}.{quantity}": round(ratio, 3) for (actor, quantity), ratio in _pairs(samples)}


def _pairs(samples: Sequence[Sample]) -> list[tuple[tuple[str, str], float]]:
    window_s, from_s, end_s = _window(samples), settled_s(samples), samples[-1].at_s
    early = [one for one in samples if from_s <= one.at_s <= from_s + window_s]
    late = [one for one in samples if one.at_s >= end_s - window_s]
    found = []
    for actor in ACTORS:
        for quantity in QUANTITIES:
            before, after = (
                statistics.median(getattr(getattr(one, actor), quantity) for one in part)
                for part in (early, late)
            )
            found.append(((actor, quantity), after / max(before, 1)))
    return found


def _window(samples: Sequence[Sample]) -> float:
    return min(WINDOW_S, samples[-1].at_s / 4)


class _Work:
    """What a class does to a cluster, all of it at the same time and again and again."""

    def __init__(self, cluster: Cluster, namespace: Namespace) -> None:
        self.done: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self._cluster = cluster
        self._namespace = namespace
        self.lanes: dict[str, Callable[[int], None]] = {
            "crash loops": self._crash,
            "rollouts": self._roll_out,
            "exec": self._exec,
            "logs": self._read_logs,
            "watches": self._restart_watches,
            "port-forwards": self._forward,
        }
        self._end = threading.Event()
        self._env = environment(cluster.provider)

    def watch_over(self, duration_s: float) -> list[Sample]:
        """Work for so long and return the samples."""
        self._namespace.apply([_web(0), _service()])
        self._namespace.wait_rollout("web")
        threads = [
            threading.Thread(target=self._repeat, args=lane, daemon=True)
            for lane in self.lanes.items()
        ]
        for thread in threads:
            thread.start()
        try:
            samples = list(self._sample(duration_s))
        finally:
            self._end.set()
            for thread in threads:
                thread.join(timeout=60)
        return samples

    def _sample(self, duration_s: float) -> Iterator[Sample]:
        began_s = time.monotonic()
        while (at_s := time.monotonic() - began_s) < duration_s:
            yield look(at_s)
            time.sleep(SAMPLE_S)

    def _repeat(self, name: str, work: Callable[[int], None]) -> None:
        number = 0
        while not self._end.is_set():
            number += 1
            try:
                work(number)
                self.done[name] = self.done.get(name, 0) + 1
            except (K8sHelpersError, OSError, subprocess.SubprocessError) as error:
                if self._end.is_set():
                    return
                self.failed[name] = self.failed.get(name, 0) + 1
                print(f"{name}: {error}", file=sys.stderr, flush=True)
                self._end.wait(1.0)

    def _crash(self, number: int) -> None:
        """Make pods that crash in each kind of container, and make them anew before they rest for long."""
        pods = [_pod(f"crash-{kind}", **spec) for kind, spec in _CRASHES.items()]
        self._namespace.apply(pods)
        self._end.wait(_ROUND_S)
        for pod in pods:
            name = pod["metadata"]["name"]
            self._namespace.delete_object("pod", name, grace_s=0, timeout_s=60.0)

    def _roll_out(self, number: int) -> None:
        self._namespace.apply(_web(number))
        self._namespace.wait_rollout("web")
        self._end.wait(5.0)

    def _web_pod(self) -> str:
        pods = self._namespace.list("pods", selector="app=web")
        names = [
            one["metadata"]["name"]
            for one in pods
            if one["status"].get("phase") == "Running"
            and "deletionTimestamp" not in one["metadata"]
        ]
        return str(names[-1])

    def _exec(self, number: int) -> None:
        self._namespace.exec(self._web_pod(), ["sh", "-c", "echo hello; ls /"], timeout_s=10.0)
        self._end.wait(0.5)

    def _read_logs(self, number: int) -> None:
        pod = self._web_pod()
        self._namespace.logs(pod, tail=50)
        with self._kubectl("logs", "--follow", "--tail=5", pod):
            self._end.wait(3.0)

    def _restart_watches(self, number: int) -> None:
        for kind in ("pods", "events", "endpoints"):
            path = self._namespace.path(kind)
            for _ in self._cluster.api.watch(path, timeout_s=1.0):
                pass

    def _forward(self, number: int) -> None:
        with self._kubectl("port-forward", "service/web", ":80") as process:
            assert process.stdout is not None
            line = process.stdout.readline().decode()  # Forwarding from 127.0.0.1:PORT -> 8000
            if "->" in line:
                port = line.split("->")[0].rpartition(":")[2].strip()
                for _ in range(5):
                    with contextlib.suppress(OSError):
                        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
        self._end.wait(1.0)

    @contextlib.contextmanager
    def _kubectl(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        argv = ["kubectl", "--namespace", self._namespace.name, *words]
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment()
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=30)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._env}


def look(at_s: float) -> Sample:
    """Return what both actors hold now."""
    runtime = lifecycle.runtime_of(NAME)
    said = control_socket.ask(runtime, {"do": "status"})
    tasks = said["components"][f"{NAME}-node-1"]["beat"].get("tasks", 0)
    return Sample(
        at_s,
        _held(processes.node_with_helpers(NAME), tasks),
        _held([said["pid"]], said["tasks"]),
    )


def _held(pids: Sequence[int], tasks: int) -> Held:
    folders = [Path(f"/proc/{pid}") for pid in pids]
    return Held(
        processes.proportional_mb(pids),
        sum(len(list((folder / "fd").iterdir())) for folder in folders),
        tasks,
        sum(len(list((folder / "task").iterdir())) for folder in folders),
    )


def _shell(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "host/shell", "command": ["sh", "-c", script], **more}


def _pod(name: str, **spec: Any) -> dict[str, Any]:
    meta = {"name": name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"terminationGracePeriodSeconds": 1, **spec},
    }


_QUIET = _shell("main", "exec sleep 1000")
_PROBE = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
_CRASHES: dict[str, dict[str, Any]] = {
    "main": {"containers": [_shell("main", "exit 1")]},
    "init": {"initContainers": [_shell("init", "exit 1")], "containers": [_QUIET]},
    "sidecar": {
        "initContainers": [_shell("side", "sleep 1; exit 1", restartPolicy="Always")],
        "containers": [_QUIET],
    },
    "image": {"containers": [{"name": "main", "image": "nowhere:v9"}]},
    "program": {"containers": [{"name": "main", "image": "host/shell", "command": ["/none"]}]},
    "liveness": {"containers": [_shell("main", "exec sleep 1000", livenessProbe=_PROBE)]},
    "readiness": {"containers": [_shell("main", "exec sleep 1000", readinessProbe=_PROBE)]},
    "talker": {"containers": [_shell("main", "while :; do echo line; sleep 0.05; done")]},
}


def _web(version: int) -> dict[str, Any]:
    server = {
        "name": "web",
        "image": "host/python",
        "command": ["sh", "-c", 'exec python3 -m http.server --bind "${BIND_ADDR:-0.0.0.0}" 8000'],
        "env": [{"name": "VERSION", "value": str(version)}],
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [server]},
            },
        },
    }


def _service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]},
    }


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Draw one panel for each quantity, with the bar that follows from what there was after two minutes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    figure.suptitle(f"Un cluster très occupé, pendant {samples[-1].at_s / 60:.0f} min")
    minutes = [one.at_s / 60 for one in samples]
    from_s, window_s = settled_s(samples), _window(samples)
    for ax, (quantity, (title, unit)) in zip(
        figure.subplots(2, 2, sharex=True).flat, QUANTITIES.items(), strict=True
    ):
        for actor, words in ACTORS.items():
            values = [getattr(getattr(one, actor), quantity) for one in samples]
            colour = _COLOURS[actor]
            ax.plot(minutes, values, color=colour, label=words, linewidth=1)
            early = [
                value
                for one, value in zip(samples, values, strict=True)
                if from_s <= one.at_s <= from_s + window_s
            ]
            ax.axhline(BAR * statistics.median(early), color=colour, linestyle=":", linewidth=1)
        ax.set_title(f"{title} ({unit})" if unit else title)
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.3)
    for ax in figure.axes[2:]:
        ax.set_xlabel("minutes")
    figure.axes[0].legend(fontsize=8, loc="center right")
    figure.text(
        0.5, -0.02, "Pointillés : 20 % de plus qu’après deux minutes.", ha="center", fontsize=9
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")
