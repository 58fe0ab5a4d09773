"""Run the tests: lots in parts, as many parts at a time as the machine has room for, each part once.

    python tests/lots.py [LOT…]     all of them without a name

A part is a run of pytest with a home folder, and so clusters, of its own. Most of a part is waiting: the next one
begins while a processor is idle and memory is free. What measures time itself (the mark `quiet`) comes at the end,
alone. The exit code is 1 where a part fails; its whole text is then shown.

Nothing is tried again, but where `K8S_TESTS_SECOND_LOOK=1` asks whether what failed beside others fails alone too: it
is run once more at the very end, with nothing beside it, and named as to be repaired whatever comes of it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import prefix_lot
import psutil
from processors import IDLE_SHARE, Processors

ROOT = Path(__file__).parents[1]
MOST_PER_PROCESSOR = float(os.environ.get("K8S_TESTS_PARTS_PER_PROCESSOR", "3"))
PART_BYTES = 2 * 10**9
"""What a part may come to need: a student's memory (`prefix_lot.MEMORY_BYTES`) and pytest's own."""
SETTLE_S = 8.0
"""How long after a part's beginning the next one waits: until then it has not begun to use the machine."""
PERIOD_S = 1.0

SECOND_LOOK = "K8S_TESTS_SECOND_LOOK"
MOST_LOOKED_AT = 5
"""Failed tests that are looked at again; more have a common cause, which is no neighbour."""
_SHARES = ("kind", "exercises", "notebooks", "cluster", "browser", "prefix")
"""Lots whose tests share processors with a cluster and others: a pure test has no reason to fail once."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) ((?:tests|notebooks)/.+?)(?: - .*)?$", re.MULTILINE)
MOST_OF_A_REASON = 400
"""Characters of the line that says why a test failed; the part's whole text has all of it, further above."""
_OTHER_FAULT = re.compile(r"^(?:LEFT BEHIND|ERROR collecting|INTERNALERROR)", re.MULTILINE)
_ANY_TEST = "tests/notebooks/test_structure.py::test_notebooks_are_numbered_in_order"
"""Given beside a notebook, it brings `tests/conftest.py` along, and so the run's own home."""

KIND_READY = "K8S_TESTS_KIND_READY"
"""Names a file that appears once kind can be used; kind's tests wait for it."""

_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b")
PURE = ("tests/unit", "tests/labs", "embedded/tests")
"""What needs no cluster."""
QUICK = (
    "tests/cluster/test_cluster_api.py::test_the_cluster_is_found_again_and_kubectl_speaks_to_it",
    "notebooks/00_accueil.ipynb",
)
"""One test and one notebook on a cluster."""


@dataclass(frozen=True)
class Part:
    """One process of a lot.

    Attributes
    ----------
    lot, name : str
        Of which it is a part, and its own name.
    argv : tuple of str
        What is run in the course's folder.
    alone : bool
        Nothing else runs meanwhile.
    needs : str
        A file that must be there before; empty: none.
    """

    lot: str
    name: str
    argv: tuple[str, ...]
    alone: bool = False
    needs: str = ""


def oldest_python() -> str:
    """Return a Python that sees the packages of this environment: the system's, where that is this one, but older.

    What passes on Debian's 3.11.2 passes on later ones; the other way round there were surprises (asyncio of before
    3.11.5 leaves transports open where later ones close them).
    """
    major, minor = sys.version_info[:2]
    system = Path(f"/usr/bin/python{major}.{minor}")
    if not system.exists() or _version(system) >= sys.version_info[:3]:
        return sys.executable
    folder = Path(sys.prefix) / "oldest"
    subprocess.run([system, "-m", "venv", "--without-pip", "--clear", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    here = sysconfig.get_path("purelib")
    (packages / "this.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    for path in (Path(sys.prefix) / "share", *(Path(sys.prefix) / "bin").iterdir()):
        link = folder / path.relative_to(sys.prefix)
        if not link.exists():
            link.symlink_to(path)
    return str(folder / "bin" / "python")


def _version(python: Path) -> tuple[int, ...]:
    script = "import sys; print(*sys.version_info[:3])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return tuple(map(int, done.stdout.split()))


def _pytest(*arguments: str, python: str = sys.executable) -> tuple[str, ...]:
    return (python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


def _shared_out(lot: str, of: int, *arguments: str, python: str = sys.executable) -> list[Part]:
    """Return a lot's parts: `tests/parts.py` leaves out in each what is another's."""
    return [
        Part(
            lot,
            f"{lot} {n}/{of}",
            _pytest("-pparts", f"--part={n}/{of}", *arguments, python=python),
        )
        for n in range(1, of + 1)
    ]


def lots() -> dict[str, list[Part]]:
    """Return the parts of each lot, the longest first: two to five minutes each, on a machine of two processors."""
    notebooks = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("notebooks/[0-9]*.ipynb"))
    pages = ("--ignore=tests/notebooks/test_exercises.py", "tests/notebooks")
    prefix = (sys.executable, prefix_lot.__file__, "--exactly")
    return {
        "lint": [Part("lint", "lint", ("make", "--no-print-directory", "lint"))],
        "kind": [
            Part(
                "kind",
                "kind",
                _pytest("-m", "kind", "tests/cluster"),
                needs=os.environ.get(KIND_READY, ""),
            )
        ],
        "exercises": _shared_out("exercises", 5, "tests/notebooks/test_exercises.py"),
        "notebooks": _shared_out(
            "notebooks", 6, "--nbval", "--nbval-current-env", *pages, *notebooks
        ),
        "unit": _shared_out("unit", 2, "-m", "not quiet", *PURE, python=oldest_python()),
        "browser": [Part("browser", "browser", _pytest("tests/browser"))],
        "cluster": _shared_out("cluster", 7, "-m", "not kind and not quiet", "tests/cluster"),
        "prefix": [
            Part("prefix", f"prefix {item.name}", (*prefix, item.name))
            for item in prefix_lot.items()
        ],
        "quiet": [
            Part(
                "quiet",
                "quiet",
                _pytest("-m", "quiet and not kind", "tests/unit", "tests/cluster"),
                alone=True,
            )
        ],
    }


def quick() -> list[Part]:
    """Return what `make check` runs: in three minutes, something of all."""
    live = _pytest("--nbval", "--nbval-current-env", *QUICK)
    return [Part("live", "live", live), *lots()["unit"], *lots()["lint"]]


@dataclass
class Room:
    """What the machine has left for another part."""

    running: int
    settled_s: float
    idle_share: float
    free_bytes: int
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)

    def is_enough(self) -> bool:
        """Return whether another part may begin."""
        if self.running == 0:
            return True
        return (
            self.running < MOST_PER_PROCESSOR * self.processors
            and self.settled_s >= SETTLE_S
            and self.idle_share >= IDLE_SHARE
            and self.free_bytes >= 2 * PART_BYTES
        )


@dataclass
class Run:
    """A part under way, then over.

    Attributes
    ----------
    code : int or None
        How its process ended; None while it runs.
    text : str
        What it has said, once it has ended.
    """

    part: Part
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    began_s: float
    code: int | None = None
    text: str = ""

    @classmethod
    def begin(cls, part: Part) -> Run:
        """Start its process; what that says is kept."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `is_over`)
        process = subprocess.Popen(part.argv, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        return cls(part, process, output, time.monotonic())

    def is_over(self) -> bool:
        """Return whether its process has ended; `code` and `text` are then known."""
        self.code = self.process.poll()
        if self.code is None:
            return False
        with self.output:
            self.output.seek(0)
            self.text = self.output.read().decode(errors="replace")
        return True

    def failed(self) -> tuple[str, ...]:
        """Return the ids of the tests that failed, as pytest's summary has them."""
        return tuple(dict.fromkeys(_FAILED.findall(self.text)))

    def reasons(self) -> tuple[str, ...]:
        """Return the lines of pytest's summary that say which tests failed, and why."""
        return tuple(match.group() for match in _FAILED.finditer(self.text))

    def counts(self) -> Counter[str]:
        """Return how many tests passed, failed …, as pytest's last line says."""
        last = next((line for line in reversed(self.text.splitlines()) if _COUNT.search(line)), "")
        return Counter({word: int(number) for number, word in _COUNT.findall(last)})


class Runner:
    """Runs parts to their end.

    Parameters
    ----------
    parts : sequence of Part
        In the order in which they begin; those that run alone come last.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._waiting = sorted(parts, key=lambda part: part.alone)
        self._running: list[Run] = []
        self._processors = Processors()
        self._last_s = -SETTLE_S
        self.ended: list[Run] = []

    def run(self) -> None:
        """Run all of them; where that is interrupted, so is each part that runs."""
        try:
            while self._waiting or self._running:
                self._look()
                if (part := self._next()) is not None:
                    self._waiting.remove(part)
                    self._running.append(Run.begin(part))
                    self._last_s = time.monotonic()
                time.sleep(PERIOD_S)
        finally:
            for run in self._running:
                run.process.send_signal(signal.SIGINT)
            for run in self._running:
                run.process.wait()

    def _look(self) -> None:
        self._processors.look()
        for run in list(self._running):
            if run.is_over():
                self._running.remove(run)
                self.ended.append(run)
                _say(run)

    def _next(self) -> Part | None:
        """Return the part that begins now."""
        if any(run.part.alone for run in self._running):
            return None
        ready = (part for part in self._waiting if not part.needs or Path(part.needs).exists())
        part = next(ready, None)
        if part is None:
            return None
        if part.alone and (self._running or not all(other.alone for other in self._waiting)):
            return None
        room = Room(
            len(self._running),
            time.monotonic() - self._last_s,
            self._processors.idle_share,
            psutil.virtual_memory().available,
        )
        return part if room.is_enough() else None

    @property
    def busy_percent(self) -> float:
        """How busy the processors were."""
        return self._processors.busy_percent


def _say(run: Run) -> None:
    """Write how a part ended; all that it said where it failed."""
    seconds = time.monotonic() - run.began_s
    how = "passed" if run.code == 0 else f"FAILED (exit code {run.code})"
    notes = re.findall(r"^(?:MEMORY|SKIPPED).*", run.text, re.MULTILINE)
    words = ", ".join([*_words(run.counts()), f"{seconds:.0f} s", *notes])
    print(f"{run.part.name}: {how}: {words}", flush=True)
    if run.code != 0:
        print(run.text, flush=True)


def _words(counts: Counter[str]) -> list[str]:
    return [f"{number} {word}" for word, number in counts.items()]


def summary(runs: Sequence[Run]) -> Iterator[str]:
    """Return a line for each lot, and the parts that failed with their tests and the reason of each."""
    for lot in dict.fromkeys(run.part.lot for run in runs):
        counts = sum((run.counts() for run in runs if run.part.lot == lot), Counter[str]())
        yield f"{lot}: {', '.join(_words(counts)) or 'nothing'}"
    for run in runs:
        if run.code != 0:
            yield f"FAILED: {run.part.name}"
            yield from (f"  {line[:MOST_OF_A_REASON]}" for line in run.reasons())


def second_look(runs: Sequence[Run]) -> list[Part]:
    """Return the parts in which what failed runs alone; none where something failed that no neighbour explains.

    A notebook is run from its first cell, and a part of the prefix lot whole.
    """
    bad = [run for run in runs if run.code != 0]
    failed = [name for run in bad for name in run.failed()]
    if not 0 < len(failed) <= MOST_LOOKED_AT:
        return []
    if any(
        run.part.lot not in _SHARES or not run.failed() or _OTHER_FAULT.search(run.text)
        for run in bad
    ):
        return []
    return [
        replace(run.part, name=f"{run.part.name}, alone", argv=_alone(run), alone=True)
        for run in bad
    ]


def _alone(run: Run) -> tuple[str, ...]:
    if run.part.lot == "prefix":
        return run.part.argv
    notebooks = {name.partition("::")[0] for name in run.failed() if name.startswith("notebooks/")}
    tests = [name for name in run.failed() if not name.startswith("notebooks/")]
    if notebooks:
        tests += ["--nbval", "--nbval-current-env", _ANY_TEST, *sorted(notebooks)]
    return _pytest(*tests)


def main(names: Sequence[str]) -> int:
    """Run these lots, or all; return 1 where a part fails, 2 where there is no such lot."""
    if list(names) == ["check"]:
        parts = quick()
    else:
        known = lots()
        if unknown := sorted(set(names) - set(known)):
            print(f"no lot {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
            return 2
        parts = [part for lot in known if lot in (names or known) for part in known[lot]]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runner = Runner(parts)
    began_s = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        runner.run()
    looked_at: list[Run] = []
    if os.environ.get(SECOND_LOOK) == "1" and len(runner.ended) == len(parts):
        again = Runner(second_look(runner.ended))
        with contextlib.suppress(KeyboardInterrupt):
            again.run()
        looked_at = again.ended
    minutes = (time.monotonic() - began_s) / 60
    print(*summary(runner.ended), sep="\n")
    print(f"{minutes:.1f} min, processors busy {runner.busy_percent:.0f} % of it", flush=True)
    all_ended = len(runner.ended) == len(parts)
    if looked_at and all(run.code == 0 for run in looked_at):
        names_again = sorted({name for run in runner.ended for name in run.failed()})
        print("TO BE REPAIRED, failed beside others and passed alone:", *names_again, sep="\n  ")
        return int(not all_ended)
    return int(not all_ended or any(run.code != 0 for run in runner.ended))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
