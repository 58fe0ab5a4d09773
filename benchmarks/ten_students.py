"""Students at once on one cluster, each a process of its own that does the measure of 09 and three exercises for real.

    python -m benchmarks.ten_students --kubeconfig ADMIN [--students 10] [--rate 50] [--image-prefix REGISTRY/]

They begin within ten seconds, as people do who are told to. Makes the class, waits for all, deletes it, and judges: the
measure's facts, the verdicts, the API server's p99, what is left. Times of a machine that is too small are stretched:
its load is said, and durations are judged by nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from k8s_helpers import _paths
from k8s_helpers.classroom import credentials
from k8s_helpers.kube.api import ApiSession

from . import api_metrics

P99_S = 1.0
_SPREAD_S = 10.0
_LONGEST_S = 1800.0


def k8s_lab(*arguments: str, env: Mapping[str, str]) -> None:
    """Run the course's command; what it says goes to standard error."""
    program = Path(sys.executable).parent / "k8s-lab"
    subprocess.run([str(program), *arguments], check=True, env=env, stdout=sys.stderr)


def make_class(
    name: str, students: int, kubeconfig: Path, folder: Path, image_prefix: str
) -> dict[str, Path]:
    """Make a class of so many students; return their kubeconfigs by their ids."""
    listed = folder / "liste.csv"
    ids = [f"etudiant-{number:02}" for number in range(1, students + 1)]
    listed.write_text("\n".join(["identifiant", *ids]) + "\n")
    env = {**os.environ, "K8S_HELPERS_KUBECONFIG": str(kubeconfig)}
    arguments = ["class", "create", "--class", name, "--students", str(listed), "--days", "1"]
    arguments += ["--out", str(folder / "access"), "--image-prefix", image_prefix]
    k8s_lab(*arguments, env=env)
    return credentials.files(folder / "access", name)


def delete_class(name: str, kubeconfig: Path) -> None:
    """Delete it; waits until nothing is left."""
    env = {**os.environ, "K8S_HELPERS_KUBECONFIG": str(kubeconfig)}
    k8s_lab("class", "delete", "--class", name, env=env)


def begin(student: str, kubeconfig: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a student's process, with a home folder of its own."""
    home = folder / "homes" / student
    home.mkdir(parents=True)
    (home / "cache").symlink_to(_paths.cache_dir())
    env = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    env |= {
        "K8S_HELPERS_HOME": str(home),
        "K8S_HELPERS_PROVIDER": "existing",
        "K8S_HELPERS_KUBECONFIG": str(kubeconfig),
        "K8S_HELPERS_LIVE": "0",
        "OMP_NUM_THREADS": "1",
    }
    errors = (folder / f"{student}.err").open("w")
    command = [sys.executable, "-m", f"{__package__}.student_session", *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=errors, text=True)


def seen_by(process: subprocess.Popen[str], longest_s: float) -> dict[str, Any]:
    """Wait for a student; return what the process printed."""
    try:
        out, _ = process.communicate(timeout=longest_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, _ = process.communicate()
    lines = [line for line in out.splitlines() if line.startswith("SEEN ")]
    return json.loads(lines[-1].removeprefix("SEEN ")) if lines else {"error": "no answer"}


def faults(seen: Mapping[str, Any]) -> list[str]:
    """Return what a student saw that is not so, in words."""
    if "error" in seen:
        return [str(seen["error"]).replace("\n", " ")]
    made = []
    updates = seen["update"]
    for name, loses in (("recreate", True), ("rolling-naive", True), ("rolling", False)):
        failed = updates[name]["failed"]
        if (failed > 0) != loses:
            made.append(f"{name}: {failed} requests lost of {updates[name]['requests']}")
    if updates["recreate"]["outage_s"] <= 0:
        made.append("recreate did not interrupt")
    for name, verdict in seen["verdicts"].items():
        if verdict["right"] is not None:
            made.append(f"{name}: the right answer is judged « {verdict['right']} »")
        if verdict["wrong"] != verdict["expected"]:
            made.append(f"{name}: a wrong answer is judged « {verdict['wrong']} »")
    return made


def main() -> int:
    """Make, run, judge, delete; exit code 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--students", type=int, default=10)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second of each")
    parser.add_argument("--class", dest="name", default="wten")
    parser.add_argument("--image-prefix", default="")
    options = parser.parse_args()
    admin = ApiSession(options.kubeconfig)
    bad = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            access = make_class(
                options.name, options.students, options.kubeconfig, folder, options.image_prefix
            )
            before, begun_s = api_metrics.read(admin.text("/metrics")), time.monotonic()
            started = {}
            for student, path in access.items():
                started[student] = begin(student, path, folder, "--rate", str(options.rate))
                time.sleep(_SPREAD_S / len(access))
            for student, process in started.items():
                left_s = max(1.0, begun_s + _LONGEST_S - time.monotonic())
                wrong = faults(seen_by(process, left_s))
                print(f"{student}: {'; '.join(wrong) or 'facts true, verdicts right'}", flush=True)
                bad += wrong
            after = api_metrics.read(admin.text("/metrics"))
        finally:
            delete_class(options.name, options.kubeconfig)
    answered = api_metrics.between(before, after)
    for verb, buckets in sorted(answered.items()):
        p50, p99 = (api_metrics.quantile(buckets, share) * 1000 for share in (0.5, 0.99))
        print(f"{verb}: {buckets[float('inf')]} requests, p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    p99_s = api_metrics.quantile(api_metrics.together(answered), 0.99)
    print(
        f"all: p99 {p99_s * 1000:.0f} ms (at most {P99_S * 1000:.0f}); 429: {after.refused - before.refused}"
    )
    print(
        f"{time.monotonic() - begun_s:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )
    left = [
        item["metadata"]["name"]
        for item in admin.request("GET", "/api/v1/namespaces")["items"]
        if item["metadata"]["name"].startswith(f"{options.name}-")
    ]
    print(f"left: {', '.join(left) or 'nothing'}")
    return int(bool(bad or left or p99_s >= P99_S))


if __name__ == "__main__":
    sys.exit(main())
