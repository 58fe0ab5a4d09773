"""Measured instants of Ready and of the first kill against the intervals that manifests alone let foresee.

The five variants of the experiment are run again and again with a short delay; a run counts where each instant of each
variant is inside its interval, give or take a second, and where what was not to come did not come.

python -m benchmarks.probe_instants [--runs N] [--delay SECONDS] [--provider embedded|kind] [--program real|standin]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from k8s_helpers import labs
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cluster import Cluster

from .harness import cluster_of, table
from .row import Row

RUNS = {"embedded": 20, "kind": 5}
"""What is asked for: all of them."""
DELAY_S = 12.0
"""Of the program's start: the probes' seconds shrink with it."""
PROGRAMS = {"standin": "Python stand-in", "real": "Spring Boot"}
"""By what `K8S_HELPERS_SPRING` calls them. The table has the first one: the program's language changes no rule."""


def measure() -> list[Row]:
    """Measure the embedded cluster and return the row of the table."""
    return [row("embedded", RUNS["embedded"], DELAY_S, "standin")]


def row(provider: str, runs: int, delay_s: float, program: str) -> Row:
    """Return how many runs went as foreseen, with the real program or its stand-in."""
    os.environ[images.SPRING_VARIABLE] = program
    good = 0
    with cluster_of(provider) as cluster:
        for number in range(runs):
            strays = list(_strays(cluster, delay_s))
            good += not strays
            told = "; ".join(strays) or "as foreseen"
            print(f"run {number + 1} of {runs}: {told}", file=sys.stderr, flush=True)
    what = (
        "runs whose every Ready and first kill is foreseen ± 1 s, five variants, "
        f"{PROGRAMS[program]}, {delay_s:g} s, {provider}"
    )
    return Row(what, good, "runs", f"= {runs}", good == runs)


def _strays(cluster: Cluster, delay_s: float) -> Iterator[str]:
    """Run the variants once and yield the instants that were not foreseen, in words."""
    recording = labs.probes.measure(delay_s=delay_s, cluster=cluster, progress=Silent())
    for found in map(labs.probes.summarize, recording.runs):
        if not found.ready_as_predicted:
            yield f"{found.variant}: Ready at {found.ready_s}, foreseen {found.predicted_ready}"
        if not found.kill_as_predicted:
            yield f"{found.variant}: killed at {found.kill_s}, foreseen {found.predicted_kill}"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probe_instants")
    parser.add_argument("--provider", choices=sorted(RUNS), default="embedded")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--delay", type=float, default=DELAY_S)
    parser.add_argument("--program", choices=sorted(PROGRAMS), default="standin")
    options = parser.parse_args()
    runs = options.runs or RUNS[options.provider]
    print(table([row(options.provider, runs, options.delay, options.program)]))


if __name__ == "__main__":
    main()
