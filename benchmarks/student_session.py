"""One student of a class, as a process of its own: the measure of 09 and three exercises, for real.

python -m benchmarks.student_session [--rate 50] [--requests FILE]

What it saw goes to standard output as JSON: the measure's facts, the verdict of each answer. With `--requests`, every
request to the API server is noted in a file, to be made again by `class_load`.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from k8s_helpers import connect, exercises, labs
from k8s_helpers._errors import K8sHelpersError
from k8s_helpers._progress import Silent
from k8s_helpers.kube.api import ApiSession
from k8s_helpers.labs.update import summary

EXERCISES = ("01-se-releve", "02-image", "09-zero-perte")
"""Each is tried with one wrong answer, then with the right one."""


def note_requests(file: Path) -> None:
    """Write every request of this process to a file, one JSON object a line, when it ends."""
    sent, lock, begun_s = ApiSession._send, threading.Lock(), time.monotonic()
    lines = file.open("w")

    @functools.wraps(sent)
    def noted(self: ApiSession, method: str, path: str, **options: Any) -> Any:
        at_s = time.monotonic() - begun_s
        response = sent(self, method, path, **options)
        kept = {name: options.get(name) for name in ("query", "body", "content_type")}
        line = {"at_s": round(at_s, 3), "method": method, "path": path, **kept}
        if (options.get("query") or {}).get("watch"):
            line["watch"] = True
        with lock:
            lines.write(json.dumps(line, default=str) + "\n")
            lines.flush()
        return response

    ApiSession._send = noted  # type: ignore[method-assign]


def session(rate_per_s: float) -> dict[str, Any]:
    """Do it all, the measure with so many requests a second; return what was seen."""
    cluster = connect("existing", progress=Silent())
    seen: dict[str, Any] = {"home": cluster.provider.home_namespace, "verdicts": {}}
    recording = labs.update.measure(cluster=cluster, rate_per_s=rate_per_s, progress=Silent())
    seen["update"] = summary.to_json(recording)["strategies"]
    for name in EXERCISES:
        exercise = exercises.load(name)
        wrong, expected = next(iter(exercise.wrong.items()))
        answers = {"wrong": exercise.wrong_answer(wrong), "right": exercise.solution()}
        verdicts = {
            kind: exercises.check(name, *answer, cluster=cluster, progress=Silent()).finding.code
            for kind, answer in answers.items()
        }
        seen["verdicts"][name] = {**verdicts, "expected": expected}
    cluster.close()
    return seen


def main() -> int:
    """Print what was seen, or what stopped it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--requests", type=Path)
    options = parser.parse_args()
    if options.requests is not None:
        note_requests(options.requests)
    try:
        seen = session(options.rate)
    except K8sHelpersError as error:
        seen = {"error": str(error)}
    print("SEEN " + json.dumps(seen), flush=True)
    return "error" in seen


if __name__ == "__main__":
    sys.exit(main())
