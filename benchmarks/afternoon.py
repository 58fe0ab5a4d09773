"""What an idle cluster takes of the machine once a class has used it: two hours of practice in two minutes.

Custom kinds are made and stay, as Helm charts leave them; pods come and go in waves; a few hundred objects are applied,
read, changed and deleted; kubectl explains every kind; commands run in a pod. Then nobody asks anything, and what each
program still takes is measured: processor, memory, and how often the API server's collector runs.
"""

from __future__ import annotations

import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from embedded_kubernetes import preflight
from k8s_helpers.cluster import Cluster, Namespace

from . import processes
from .harness import (
    Sightings,
    at_most,
    cluster_of,
    delete_all,
    is_ready,
    pause_image,
    pod_spec,
)
from .row import Row

IDLE_BAR_PERCENT = 5.0
"""Of one core, for the control plane and the node together."""

MEMORY_BAR_MB = preflight.MEMORY_BYTES / 1e6
COLLECTIONS_BAR_PER_MIN = 12.0
SETTLE_S = 30.0
WINDOW_S = 30.0

_GROUP = "cours.example.org"
_AT_ONCE = 4
"""Requests at the same time: a class's browser tabs, or one impatient student."""

_METRICS = "metrics.k8s.io/"
"""The group that a server of its own answers, which describes no fields."""

_PYTHON = "host/python"


@dataclass(frozen=True)
class Use:
    """How much a cluster is used.

    Attributes
    ----------
    kinds : int
        Custom kinds that are made, each with one object; they stay.
    waves, pods_a_wave : int
        Pods are made at once, waited for and deleted, that many times.
    objects : int
        ConfigMaps, Secrets, Services and Deployments without pods: applied, changed, listed and deleted.
    explained : int, optional
        Kinds that `kubectl explain --recursive` explains; all of them where it is None.
    commands : int
        Commands executed in a pod.
    """

    kinds: int
    waves: int
    pods_a_wave: int
    objects: int
    explained: int | None
    commands: int


AFTERNOON = Use(kinds=100, waves=10, pods_a_wave=20, objects=400, explained=None, commands=100)


@dataclass(frozen=True)
class Idle:
    """What programs take while nobody asks anything.

    Attributes
    ----------
    cpu_percent : mapping
        Of one core, by program.
    memory_mb : mapping
        By program, each page counted whole: what another cluster shares is not taken off.
    collections_per_min : float
        How often the API server's collector ran.
    heap_mb : float
        The API server's live objects after its last collection, and those made since.
    """

    cpu_percent: Mapping[str, float]
    memory_mb: Mapping[str, float]
    collections_per_min: float
    heap_mb: float


def measure() -> Iterator[Row]:
    """Measure a new cluster, use it for an afternoon, and measure it again."""
    with cluster_of("embedded") as cluster:
        pids = processes.components()
        time.sleep(SETTLE_S)
        yield from _rows("new cluster", idle(cluster, pids))
        began_s = time.monotonic()
        use(cluster, AFTERNOON)
        yield Row("an afternoon's use", (time.monotonic() - began_s) / 60, "min", "", True)
        time.sleep(SETTLE_S)
        yield from _rows("used cluster", idle(cluster, pids))


def _rows(state: str, found: Idle) -> Iterator[Row]:
    cpu, memory = found.cpu_percent, found.memory_mb
    yield at_most(
        f"{state}, idle: processor ({_each(cpu)})",
        sum(cpu.values()),
        "%",
        IDLE_BAR_PERCENT,
    )
    yield at_most(
        f"{state}, idle: memory ({_each(memory)})",
        sum(memory.values()),
        "MB",
        MEMORY_BAR_MB,
    )
    yield at_most(
        f"{state}, idle: collections of the API server (heap {found.heap_mb:.0f} MB)",
        found.collections_per_min,
        "/min",
        COLLECTIONS_BAR_PER_MIN,
    )


def _each(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in values.items())


def idle(cluster: Cluster, pids: Mapping[str, int], window_s: float = WINDOW_S) -> Idle:
    """Watch programs (process by name) for a while without asking anything, and return what they took."""
    collections = _metric(cluster, "go_gc_duration_seconds_count")
    before_s = {name: processes.cpu_s([pid]) for name, pid in pids.items()}
    began_s = time.monotonic()
    time.sleep(window_s)
    took_s = time.monotonic() - began_s
    cpu = {
        name: 100 * (processes.cpu_s([pid]) - before_s[name]) / took_s for name, pid in pids.items()
    }
    memory = {name: processes.distinct_mb([pid]) for name, pid in pids.items()}
    ran = _metric(cluster, "go_gc_duration_seconds_count") - collections
    heap_mb = _metric(cluster, "go_memstats_heap_alloc_bytes") / 1e6
    return Idle(cpu, memory, 60 * ran / took_s, heap_mb)


def _metric(cluster: Cluster, name: str) -> float:
    """Return the value of a metric without labels of the API server."""
    text = cluster.api.text("/metrics")
    return float(re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)[0])


def use(cluster: Cluster, amount: Use) -> None:
    """Use a cluster that much; only the custom kinds and their objects stay."""
    with cluster.namespace(f"apres-midi-{secrets.token_hex(2)}") as namespace:
        _make_kinds(cluster, amount.kinds)
        _run_commands(namespace, amount.commands)
        for wave in range(amount.waves):
            _wave(cluster, namespace, wave, amount.pods_a_wave)
        _handle_objects(namespace, amount.objects)
        _explain(cluster, amount.explained)


def remove_kinds(cluster: Cluster) -> None:
    """Delete the custom kinds that `use` made."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    cluster.api.request("DELETE", crds, query={"labelSelector": f"made-for={_GROUP}"})


def _at_once(work: Callable[[int], object], numbers: Iterable[int]) -> None:
    """Do something for every number, a few at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(work, numbers):
            pass


def _make_kinds(cluster: Cluster, count: int) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def make(number: int) -> None:
        cluster.api.request("POST", crds, body=_custom_kind(number))

    _at_once(make, range(count))
    names = [f"objets{number}.{_GROUP}" for number in range(count)]
    with Sightings(cluster, crds, _is_established) as seen:
        seen.wait(names)
    for number in range(count):
        body = {
            "apiVersion": f"{_GROUP}/v1",
            "kind": f"Objet{number}",
            "metadata": {"name": "un"},
            "spec": {"taille": number},
        }
        path = f"/apis/{_GROUP}/v1/namespaces/default/objets{number}"
        cluster.api.request("POST", path, body=body)


def _custom_kind(number: int) -> dict[str, Any]:
    fields = {
        f"champ{field}": {"type": "string", "description": f"Le champ {field} de l’objet."}
        for field in range(10)
    }
    spec = {"type": "object", "properties": {"taille": {"type": "integer"}, **fields}}
    schema = {
        "type": "object",
        "properties": {"spec": spec, "status": {"type": "object", "properties": fields}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"objets{number}.{_GROUP}", "labels": {"made-for": _GROUP}},
        "spec": {
            "group": _GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": f"objets{number}",
                "singular": f"objet{number}",
                "kind": f"Objet{number}",
            },
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _is_established(crd: dict[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or ()  # null at first
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _run_commands(namespace: Namespace, count: int) -> None:
    container = {"name": "attend", "image": _PYTHON, "command": ["sleep", "3600"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    namespace.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "attend"}, "spec": spec}
    )
    namespace.wait("pod", "attend")
    _at_once(lambda number: namespace.exec("attend", ["echo", str(number)]), range(count))


def _wave(cluster: Cluster, namespace: Namespace, wave: int, count: int) -> None:
    """Make pods, wait until they are ready, delete them."""
    path = namespace.path("pods")
    image = pause_image(cluster)
    names = [f"vague-{wave}-{number}" for number in range(count)]

    def make(number: int) -> None:
        metadata = {"name": names[number], "labels": {"vague": str(wave)}}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(image)}
        cluster.api.request("POST", path, body=body)

    with Sightings(cluster, path, is_ready) as seen:
        _at_once(make, range(count))
        seen.wait(names)
    delete_all(cluster, path)


def _handle_objects(namespace: Namespace, count: int) -> None:
    def handle(number: int) -> None:
        for turn in range(2):
            (applied,) = namespace.apply(_object(number, turn))
            namespace.list(applied["kind"])
        namespace.delete_object(applied["kind"], applied["metadata"]["name"])

    _at_once(handle, range(count))


def _object(number: int, turn: int) -> dict[str, Any]:
    labels = {"app": f"objet-{number}", "tour": str(turn)}
    metadata = {"name": f"objet-{number}", "labels": labels}
    template = {
        "metadata": {"labels": {"app": f"objet-{number}"}},
        "spec": {"containers": [{"name": "un", "image": _PYTHON}]},
    }
    kinds: Sequence[Mapping[str, Any]] = (
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"texte": "valeur" * 100}},
        {"apiVersion": "v1", "kind": "Secret", "stringData": {"mot": "de passe"}},
        {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80 + turn}]}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": f"objet-{number}"}},
                "template": template,
            },
        },
    )
    return {**kinds[number % len(kinds)], "metadata": metadata}


def _explain(cluster: Cluster, count: int | None) -> None:
    """Have kubectl explain kinds with all their fields; it keeps what it learns in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        option = f"--cache-dir={folder}"
        listed = cluster.kubectl(["api-resources", "--no-headers", option]).stdout.splitlines()
        for line in listed[:count]:
            name, *_, version, _namespaced, _kind = line.split()
            if not version.startswith(_METRICS):
                argv = ["explain", name, "--recursive", f"--api-version={version}", option]
                cluster.kubectl(argv)
