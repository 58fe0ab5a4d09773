"""From nothing to a first pod that runs: the embedded cluster against kind, in the same run."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from embedded_kubernetes.processes import run
from k8s_helpers import _progress
from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.cluster import connect
from k8s_helpers.providers.kind.engine import find_engine

from .harness import NAME, PODS, Sightings, at_most, create_pod, is_running, median_of, pause_image
from .row import Row

EMBEDDED_BAR_S = 4.0
RATIO_BAR = 5.0
IMPORT_BAR_S = 0.5
_K8S_LAB = str(Path(sys.executable).parent / "k8s-lab")


def measure() -> Iterator[Row]:
    """Measure import, embedded start, kind start (where there is kind) and their ratio."""
    yield at_most("import k8s_helpers", median_of(5, import_s), "s", IMPORT_BAR_S)
    embedded_s = median_of(3, lambda: first_pod_s("embedded"))
    yield at_most(
        "embedded: cold `k8s-lab up` → first pod Running", embedded_s, "s", EMBEDDED_BAR_S
    )
    if shutil.which("kind") is None or find_engine() is None:
        print("kind is left out: no engine, or no kind command", file=sys.stderr)
        return
    kind_s = first_pod_s("kind")
    yield Row("kind: create → first pod Running", kind_s, "s", "", True)
    ratio = kind_s / embedded_s
    yield Row("embedded is faster than kind", ratio, "×", f"≥ {RATIO_BAR:g}", ratio >= RATIO_BAR)


def import_s() -> float:
    """Return how long `import k8s_helpers` takes in a new interpreter."""
    code = (
        "import time; t = time.perf_counter(); import k8s_helpers; print(time.perf_counter() - t)"
    )
    return float(run([sys.executable, "-c", code], timeout_s=60).stdout)


def first_pod_s(provider: str) -> float:
    """Return the time from the start of `k8s-lab up` to the first pod seen Running; deletes the cluster."""
    arguments = ["--provider", provider, "--name", NAME]
    began_s = time.monotonic()
    try:
        run([_K8S_LAB, "up", *arguments], timeout_s=600)
        cluster = connect(provider=provider, name=NAME, progress=_progress.Silent())
        image = pause_image(cluster)
        with Sightings(cluster, PODS, is_running) as seen:
            while True:  # the first pod needs its ServiceAccount, which a controller makes
                try:
                    create_pod(cluster, "first", image)
                    break
                except K8sHelpersError:
                    if time.monotonic() - began_s > 120:
                        raise
                    time.sleep(0.02)
            return seen.wait(["first"]) - began_s
    finally:
        run([_K8S_LAB, "down", *arguments], timeout_s=120, check=False)
