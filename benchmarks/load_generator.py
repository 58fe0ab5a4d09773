"""The load generator against vegeta: same target, same rate, same run.

The target is a process of its own that answers after 15 ms plus an exponential tail of mean 5 ms (median 18.5 ms, 99th
percentile 38 ms), new connection for each request: what is compared is then the measure of a service, not that
of a loopback. Each tool sends 200 requests a second for 30 s, one after the other.

`vegeta` comes from PATH, or is compiled once by `go install` into the cache.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from embedded_kubernetes import processes
from k8s_helpers import _paths
from k8s_helpers.measure import traffic as load

from .row import Row

RATE_PER_S = 200
DURATION_S = 30
LAG_BAR_S = 0.010
GAP_BAR = 0.10
VEGETA = "github.com/tsenart/vegeta/v12@v12.13.0"


async def serve() -> None:
    """Answer each connection once after a random time; end when standard input closes."""
    times = random.Random(1)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.015 + times.expovariate(1 / 0.005))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def target() -> Iterator[str]:
    """Run the target and give its URL."""
    process = processes.spawn(
        [sys.executable, "-m", "benchmarks.load_generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_paths.COURSE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def vegeta_program() -> Path:
    """Return vegeta: the one of PATH, ours, or ours compiled now."""
    found = shutil.which("vegeta")
    folder = _paths.cache_dir() / "tools"
    program = Path(found) if found else folder / "vegeta"
    if not program.exists():
        go = shutil.which("go") or "/usr/local/go/bin/go"
        processes.run([go, "install", VEGETA], timeout_s=600, env={"GOBIN": os.fspath(folder)})
    return program


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def vegeta(url: str, folder: Path) -> tuple[float, float]:
    """Return vegeta's p50 and p99 latency in seconds, computed from its own records as ours are."""
    program = os.fspath(vegeta_program())
    results = folder / "results.bin"
    attack = [
        program,
        "attack",
        f"-rate={RATE_PER_S}/s",
        f"-duration={DURATION_S}s",
        "-keepalive=false",
    ]
    processes.run(
        [*attack, "-timeout=2s", f"-output={results}"],
        stdin=f"GET {url}\n",
        timeout_s=DURATION_S + 30,
    )
    lines = processes.run([program, "encode", "--to=json", os.fspath(results)], timeout_s=60).stdout
    latencies = [json.loads(line)["latency"] / 1e9 for line in lines.splitlines()]
    assert len(latencies) == RATE_PER_S * DURATION_S
    return percentile(latencies, 0.50), percentile(latencies, 0.99)


def ours(url: str) -> tuple[float, float, load.Effort]:
    """Return our p50 and p99 latency in seconds, and how well the plan was kept."""
    with load.Traffic(url, rate_per_s=RATE_PER_S, max_duration_s=DURATION_S) as traffic:
        time.sleep(DURATION_S + 0.5)
    latencies = [one.answered_s - one.sent_s for one in traffic.requests if one.ok]
    assert len(latencies) == RATE_PER_S * DURATION_S
    return percentile(latencies, 0.50), percentile(latencies, 0.99), traffic.effort


def measure() -> list[Row]:
    """Run both tools and return the rows of the table."""
    import tempfile

    vegeta_program()
    with target() as url, tempfile.TemporaryDirectory() as folder:
        p50_s, p99_s, effort = ours(url)
        their_p50_s, their_p99_s = vegeta(url, Path(folder))
    gaps = {"p50": p50_s / their_p50_s - 1, "p99": p99_s / their_p99_s - 1}
    details = {
        "p50": f"{p50_s * 1e3:.1f} ms, vegeta {their_p50_s * 1e3:.1f} ms",
        "p99": f"{p99_s * 1e3:.1f} ms, vegeta {their_p99_s * 1e3:.1f} ms",
    }
    lag_ms = effort.lag_p99_s * 1e3
    what = f"load generator, {RATE_PER_S} req/s for {DURATION_S} s: p99 of (sent − planned)"
    rows = [Row(what, lag_ms, "ms", f"≤ {LAG_BAR_S * 1e3:.0f}", lag_ms <= LAG_BAR_S * 1e3)]
    for name, gap in gaps.items():
        what = f"load generator: {name} latency against vegeta ({details[name]})"
        rows.append(Row(what, gap * 100, "%", f"± {GAP_BAR * 100:.0f}", abs(gap) <= GAP_BAR))
    return rows


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
