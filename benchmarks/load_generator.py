"""The load generator against vegeta and fortio: same target, same rates, same run.

    python -m benchmarks.load_generator [--rounds 3] [--seconds 20] [--page docs/performances.md]

The target is a process of its own (`load_target.go`) whose answers take 15 ms plus an exponential tail of mean 5 ms, a
new connection for each request: what is compared is then the measure of a service, not that of a loopback. The tools
take turns, in another order each round; the table has the medians of the rounds.

vegeta and fortio (https://fortio.org, whose constant rate is that of wrk2, which no registry has) come from PATH, or
are compiled once by `go install` into the cache; so is the target.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded_kubernetes import processes
from k8s_helpers import _paths
from k8s_helpers._french import number
from k8s_helpers.measure import traffic as load

from .page import write_section
from .row import Row

RATES_PER_S = (200, 1000)
LAG_BAR_S = 0.010
GAP_BAR = 0.05
MODULES = {
    "vegeta": "github.com/tsenart/vegeta/v12@v12.13.0",
    "fortio": "fortio.org/fortio@v1.63.10",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok@v0.8.0",
    "kwokctl": "sigs.k8s.io/kwok/cmd/kwokctl@v0.8.0",
}
TARGET = Path(__file__).with_name("load_target.go")
TITLE = "Le générateur de trafic"


@dataclass(frozen=True)
class Latencies:
    """What one tool found in one round, in seconds."""

    p50_s: float
    p99_s: float
    cpu_s: float
    """Processor seconds of the tool."""
    answered: int
    """Requests that got their answer."""
    lag_p99_s: float = math.nan
    """99th percentile of (sent − planned), where the tool says it."""


def tool(name: str) -> str:
    """Return a program: the one of PATH, ours, or ours compiled now."""
    found = shutil.which(name)
    folder = _paths.cache_dir() / "tools"
    program = Path(found) if found else folder / name
    if not program.exists():
        install = [_go(), "install", MODULES[name]]
        processes.run(install, timeout_s=900, env={"GOBIN": os.fspath(folder)})
    return os.fspath(program)


def target_program() -> str:
    """Return the target, compiled where its source is new."""
    version = hashlib.sha256(TARGET.read_bytes()).hexdigest()[:12]
    program = _paths.cache_dir() / "tools" / f"load-target-{version}"
    if not program.exists():
        build = [_go(), "build", "-o", os.fspath(program), os.fspath(TARGET)]
        processes.run(build, timeout_s=900)
    return os.fspath(program)


def _go() -> str:
    return shutil.which("go") or "/usr/local/go/bin/go"


@contextmanager
def target() -> Iterator[str]:
    """Run the target and give its URL."""
    process = processes.spawn(
        [target_program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_paths.COURSE
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def vegeta(url: str, rate_per_s: int, seconds: int) -> Latencies:
    """Return what vegeta finds, computed from its own records as ours are."""
    program = tool("vegeta")
    with tempfile.TemporaryDirectory() as folder:
        results = f"{folder}/results.bin"
        before_s = _children_s()
        processes.run(
            [
                program,
                "attack",
                f"-rate={rate_per_s}/s",
                f"-duration={seconds}s",
                "-keepalive=false",
                "-timeout=2s",
                f"-output={results}",
            ],
            stdin=f"GET {url}\n",
            timeout_s=seconds + 30,
        )
        cpu_s = _children_s() - before_s
        lines = processes.run([program, "encode", "--to=json", results], timeout_s=60).stdout
    latencies = [json.loads(line)["latency"] / 1e9 for line in lines.splitlines()]
    p50_s, p99_s = (percentile(latencies, share) for share in (0.50, 0.99))
    return Latencies(p50_s, p99_s, cpu_s, len(latencies))


def fortio(url: str, rate_per_s: int, seconds: int) -> Latencies:
    """Return what fortio finds, from its histogram of tenths of a millisecond."""
    before_s = _children_s()
    done = processes.run(
        [
            tool("fortio"),
            "load",
            "-quiet",
            "-json=-",
            f"-qps={rate_per_s}",
            f"-t={seconds}s",
            f"-c={rate_per_s // 5}",
            "-uniform",
            "-keepalive=false",
            "-timeout=2s",
            "-r=0.0001",
            "-p=50,99",
            url,
        ],
        timeout_s=seconds + 30,
    )
    cpu_s = _children_s() - before_s
    found = json.loads(done.stdout)["DurationHistogram"]
    p50_s, p99_s = (float(item["Value"]) for item in found["Percentiles"])
    return Latencies(p50_s, p99_s, cpu_s, int(found["Count"]))


def ours(url: str, rate_per_s: int, seconds: int) -> Latencies:
    """Return what the course's own generator finds, and how well it kept its plan."""
    with load.Traffic(url, rate_per_s=rate_per_s, max_duration_s=seconds) as traffic:
        time.sleep(seconds + 1)
    latencies = [one.answered_s - one.sent_s for one in traffic.requests if one.ok]
    return Latencies(
        percentile(latencies, 0.50),
        percentile(latencies, 0.99),
        traffic.cpu_s,
        len(latencies),
        traffic.effort.lag_p99_s,
    )


def _children_s() -> float:
    used = os.times()
    return used.children_user + used.children_system


TOOLS: dict[str, Callable[[str, int, int], Latencies]] = {
    "ours": ours,
    "vegeta": vegeta,
    "fortio": fortio,
}


def rounds(count: int, seconds: int, rate_per_s: int) -> dict[str, Latencies]:
    """Return the medians of some rounds, each tool's by its name."""
    found: dict[str, list[Latencies]] = {name: [] for name in TOOLS}
    with target() as url:
        for number_ in range(count):
            names = list(TOOLS)
            turn = number_ % len(names)
            for name in names[turn:] + names[:turn]:
                found[name].append(TOOLS[name](url, rate_per_s, seconds))
    return {name: _median(values) for name, values in found.items()}


def _median(values: Sequence[Latencies]) -> Latencies:
    return Latencies(
        *(
            statistics.median(getattr(value, name) for value in values)
            for name in ("p50_s", "p99_s", "cpu_s", "answered", "lag_p99_s")
        )
    )


def measure(count: int = 3, seconds: int = 20) -> list[Row]:
    """Run all tools at each rate and return the rows of the table."""
    return [
        row for rate in RATES_PER_S for row in rows(rate, seconds, rounds(count, seconds, rate))
    ]


def rows(rate_per_s: int, seconds: int, found: dict[str, Latencies]) -> list[Row]:
    """Return the rows of one rate."""
    mine = found["ours"]
    lag_ms = mine.lag_p99_s * 1e3
    what = f"load generator, {rate_per_s} req/s for {seconds} s: p99 of (sent − planned)"
    made = [Row(what, lag_ms, "ms", f"≤ {LAG_BAR_S * 1e3:.0f}", lag_ms <= LAG_BAR_S * 1e3)]
    planned = rate_per_s * seconds
    what = f"load generator, {rate_per_s} req/s: requests answered of {planned}"
    made.append(Row(what, mine.answered, "", f"= {planned}", mine.answered == planned))
    for name in ("vegeta", "fortio"):
        for share in ("p50_s", "p99_s"):
            value_s, other_s = getattr(mine, share), getattr(found[name], share)
            gap = value_s / other_s - 1
            what = (
                f"load generator, {rate_per_s} req/s: {share[:3]} latency against {name} "
                f"({value_s * 1e3:.1f} ms, {name} {other_s * 1e3:.1f} ms)"
            )
            made.append(Row(what, gap * 100, "%", f"± {GAP_BAR * 100:.0f}", abs(gap) <= GAP_BAR))
    return made


def words(found: dict[int, dict[str, Latencies]], count: int, seconds: int) -> str:
    """Return the section of the page, in French."""
    lines = [
        f"Écrit par `python -m benchmarks.load_generator` : {count} tours de {seconds} s par outil, à tour de rôle, "
        "une connexion par requête, sur la même cible (15 ms, plus une traîne exponentielle de 5 ms en moyenne). "
        "Médianes des tours. wrk2 n’est dans aucun registre ; fortio envoie comme lui à débit constant, et vegeta sans "
        f"attendre les réponses, comme nous. Seuils : retard d’envoi p99 ≤ {number(LAG_BAR_S * 1e3)} ms ; p50 et p99 à "
        f"{number(GAP_BAR * 100)} % de ceux des deux autres.",
        "",
        "| débit | outil | réponses | p50 | p99 | retard p99 | processeur par requête | atteint |",
        "|---:|---|---:|---:|---:|---:|---:|---|",
    ]
    for rate, tools in found.items():
        good = all(row.ok for row in rows(rate, seconds, tools))
        for name, value in tools.items():
            mine = name == "ours"
            lag = f"{number(round(value.lag_p99_s * 1e3, 1))} ms" if mine else "–"
            cells = (
                f"{number(rate)}/s",
                "le nôtre" if mine else name,
                number(value.answered),
                f"{number(round(value.p50_s * 1e3, 1))} ms",
                f"{number(round(value.p99_s * 1e3, 1))} ms",
                lag,
                f"{number(round(value.cpu_s / (rate * seconds) * 1e6))} µs",
                ("oui" if good else "**non**") if mine else "",
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    found = {rate: rounds(options.rounds, options.seconds, rate) for rate in RATES_PER_S}
    text = words(found, options.rounds, options.seconds)
    print(text)
    if options.page is not None:
        write_section(options.page, TITLE, text)


if __name__ == "__main__":
    main()
