"""What the API server bears when a class works: one student's requests are recorded, then made again by many.

python -m benchmarks.class_load --kubeconfig ADMIN [--students 10 30] [--class wload] [--image-prefix REGISTRY/]

A real student (`student_session`) does the measure of 09 and three exercises; every request is noted with its instant.
Then so many simulated students, a process each with a kubeconfig of the class, make the same requests in their own
namespaces at the same instants, watches included. What is **not** simulated: nodes. Their pods name a scheduler that
does not exist and never run, so neither kubelets nor the traffic between pods load anything, and statuses come from the
controllers alone. Nor is what other programs ask: kubectl, and the one connection by which the traffic's pod is led.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.kube.api import JSON, ApiSession, ApiStatusError
from k8s_helpers.kube.classes import CONFIG_MAP

from . import api_metrics, ten_students

NOBODY = "nobody"
"""The scheduler that pods wait for: none runs."""
_SPREAD_S = 20.0
"""Students begin one after the other, within so many seconds."""
_AT_ONCE = 8
"""Requests that one student may have under way besides watches; the course's programs are threads, too."""

Request = Mapping[str, Any]
Answer = tuple[str, float, int]
"""Method or WATCH, seconds, status: 0 where there was no answer."""


def read(file: Path) -> list[dict[str, Any]]:
    """Return the requests of a recording, by their instants; each watch with how long it lasted at most."""
    requests = [json.loads(line) for line in file.read_text().splitlines()]
    return sorted(requests, key=lambda request: float(request["at_s"]))


def home_of(requests: Iterable[Request]) -> str:
    """Return the home namespace of who was recorded: where the class's ConfigMap is read."""
    ends = f"/configmaps/{CONFIG_MAP}"
    path = next(str(request["path"]) for request in requests if request["path"].endswith(ends))
    return path.removesuffix(ends).rpartition("/")[2]


def mine(value: Any, theirs: str, home: str) -> Any:
    """Return a value of a recorded request as another student has it: other namespaces, pods that nobody runs.

    What ties a request to one moment goes: resource versions, preconditions.
    """
    if isinstance(value, str):
        return value.replace(theirs, home)
    if isinstance(value, list):
        return [mine(item, theirs, home) for item in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: mine(item, theirs, home)
        for key, item in value.items()
        if key not in ("resourceVersion", "preconditions", "uid")
    }
    if isinstance(made.get("containers"), list):
        made["schedulerName"] = NOBODY
    return made


class SimulatedStudent:
    """Makes a recording's requests again, as somebody else of the class."""

    def __init__(
        self, kubeconfig: Path, requests: Sequence[Request], theirs: str, home: str
    ) -> None:
        self._api = ApiSession(kubeconfig)
        self._requests = [mine(dict(request), theirs, home) for request in requests]
        self._end_s = max(float(request["at_s"]) for request in requests)
        self.answers: list[Answer] = []

    def run(self, begin_s: float) -> list[Answer]:
        """Make them at their instants, from `begin_s` on (`time.monotonic()`); return how each was answered."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for request in self._requests:
                time.sleep(max(0.0, begin_s + request["at_s"] - time.monotonic()))
                if request.get("watch"):
                    left_s = begin_s + self._end_s - time.monotonic()
                    threading.Thread(
                        target=self._watch, args=(request, left_s), daemon=True
                    ).start()
                else:
                    pool.submit(self._send, request)
        self._api.close()
        return self.answers

    def _send(self, request: Request) -> None:
        begun_s, status = time.monotonic(), 200
        try:
            self._api._send(
                request["method"],
                request["path"],
                query=request["query"],
                body=request["body"],
                content_type=request["content_type"] or JSON,
                accept="*/*",
                timeout_s=60.0,
            ).drain_conn()
        except ApiStatusError as error:
            status = error.code
        except K8sHelpersError:
            status = 0
        self.answers.append((request["method"], time.monotonic() - begun_s, status))

    def _watch(self, request: Request, left_s: float) -> None:
        with contextlib.suppress(K8sHelpersError):
            query = {**request["query"], "timeoutSeconds": max(1, int(min(240.0, left_s)))}
            begun_s = time.monotonic()
            response = self._api.open(request["path"], query, left_s + 5)
            self.answers.append(("WATCH", time.monotonic() - begun_s, response.status))
            for _ in response.stream(None):
                pass


def _simulate(
    kubeconfig: Path, requests: Sequence[Request], theirs: str, home: str, begin_s: float
) -> list[Answer]:
    return SimulatedStudent(kubeconfig, requests, theirs, home).run(begin_s)


def simulate(
    access: Mapping[str, Path], requests: Sequence[Request], theirs: str, class_name: str
) -> list[Answer]:
    """Let all students of a class make the requests, a process each; return every answer."""
    now_s = time.monotonic() + 2.0
    calls = [
        (path, requests, theirs, f"{class_name}-{student}", now_s + _SPREAD_S * place / len(access))
        for place, (student, path) in enumerate(sorted(access.items()))
    ]
    with multiprocessing.get_context("fork").Pool(len(calls)) as pool:
        answers = pool.starmap(_simulate, calls, chunksize=1)
    return [answer for of_one in answers for answer in of_one]


def describe(requests: Sequence[Request]) -> str:
    """Return what one student asks of the API server."""
    last_s = max(float(request["at_s"]) for request in requests)
    watches = sum(bool(request.get("watch")) for request in requests)
    busiest = max(
        sum(start <= float(request["at_s"]) < start + 10 for request in requests)
        for start in range(int(last_s) + 1)
    )
    return (
        f"one student: {len(requests)} requests in {last_s:.0f} s ({len(requests) / last_s:.1f} a second, at most "
        f"{busiest / 10:.1f} over ten seconds), {watches} of them watches"
    )


def lines(
    students: int,
    answers: Iterable[Answer],
    before: api_metrics.Reading,
    after: api_metrics.Reading,
    watches: int,
) -> list[str]:
    """Return a table in Markdown: by verb, from the clients and from the server; then what it took."""
    by_verb: dict[str, list[float]] = {}
    failed = 0
    for verb, duration_s, status in answers:
        by_verb.setdefault(verb, []).append(duration_s * 1000)
        failed += status == 0 or status >= 500
    made = ["| verbe | requêtes | client p50 | client p99 |", "|---|---|---|---|"]
    for verb, values in sorted(by_verb.items()):
        p99 = statistics.quantiles(values, n=100)[98] if len(values) > 1 else values[0]
        made.append(
            f"| {verb} | {len(values)} | {statistics.median(values):.0f} ms | {p99:.0f} ms |"
        )
    made += ["", "| verbe | requêtes | serveur p50 | serveur p99 |", "|---|---|---|---|"]
    answered = api_metrics.between(before, after)
    for verb, buckets in sorted({**answered, "tous": api_metrics.together(answered)}.items()):
        p50, p99 = (api_metrics.quantile(buckets, share) * 1000 for share in (0.5, 0.99))
        made.append(f"| {verb} | {buckets[float('inf')]} | {p50:.0f} ms | {p99:.0f} ms |")
    made += [
        "",
        f"{students} étudiants : {watches} `watch` ouverts au plus ; {after.refused - before.refused} réponses 429, "
        f"{failed} sans réponse ou 5xx ; etcd {before.storage_bytes / 1e6:.1f} → {after.storage_bytes / 1e6:.1f} Mo ; "
        f"serveur d’API {after.memory_bytes / 1e6:.0f} Mo, {after.cpu_s - before.cpu_s:.0f} s de processeur.",
    ]
    return made


def _record(name: str, kubeconfig: Path, folder: Path, image_prefix: str) -> list[dict[str, Any]]:
    """Let one real student work; return its requests."""
    access = ten_students.make_class(name, 1, kubeconfig, folder, image_prefix)
    try:
        ((student, path),) = access.items()
        file = folder / "requests.jsonl"
        process = ten_students.begin(student, path, folder, "--requests", str(file))
        wrong = ten_students.faults(ten_students.seen_by(process, 900.0))
        # The requests are the same either way; whether facts are true is for `ten_students` to judge.
        if wrong:
            print(f"the real student: {'; '.join(wrong)}", flush=True)
        return read(file)
    finally:
        ten_students.delete_class(name, kubeconfig)


def _most_watches(admin: ApiSession, ended: threading.Event, seen: list[int]) -> None:
    while not ended.wait(3.0):
        with contextlib.suppress(K8sHelpersError):
            seen.append(api_metrics.read(admin.text("/metrics")).watches)


def main() -> int:
    """Record once, then simulate each size of class; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--students", type=int, nargs="+", default=[10, 30])
    parser.add_argument("--class", dest="name", default="wload")
    parser.add_argument("--image-prefix", default="")
    parser.add_argument(
        "--recording", type=Path, help="kept here, or read from here if it is there"
    )
    options = parser.parse_args()
    admin = ApiSession(options.kubeconfig)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.recording is not None and options.recording.exists():
            requests = read(options.recording)
        else:
            (folder / "one").mkdir()
            requests = _record(
                options.name, options.kubeconfig, folder / "one", options.image_prefix
            )
            if options.recording is not None:
                text = "".join(json.dumps(request) + "\n" for request in requests)
                options.recording.write_text(text)
        print(describe(requests), flush=True)
        theirs = home_of(requests)
        for students in options.students:
            own = folder / str(students)
            own.mkdir()
            access = ten_students.make_class(
                options.name, students, options.kubeconfig, own, options.image_prefix
            )
            ended, watches = threading.Event(), [0]
            follower = threading.Thread(target=_most_watches, args=(admin, ended, watches))
            try:
                before = api_metrics.read(admin.text("/metrics"))
                follower.start()
                answers = simulate(access, requests, theirs, options.name)
                after = api_metrics.read(admin.text("/metrics"))
            finally:
                ended.set()
                ten_students.delete_class(options.name, options.kubeconfig)
            print(
                "\n".join(["", *lines(students, answers, before, after, max(watches))]), flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
