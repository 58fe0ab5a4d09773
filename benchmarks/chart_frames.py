"""What a redraw of a live chart costs, and whether drawing costs the measurement anything.

A frame is all that `Live` does in the notebook's process: take 60 s at 100 requests per second, draw them and make the
message that is sent. Frames follow one another as in a measure, a second more each; the first one of a chart, which
has nothing to go by, is told apart. The second part sends traffic to a server of another process, with frames drawn at
the period that `Live` keeps and without any, and compares how late the requests leave.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median

from k8s_helpers import _paths, charts
from k8s_helpers.charts.live import MIN_PERIOD_S
from k8s_helpers.charts.live_figure import LiveChart
from k8s_helpers.load import Traffic
from k8s_helpers.recording import Mark, PodEvent, Recording, Request, Run, Sample

from .harness import at_most
from .row import Row

RATE_PER_S = 100
LENGTH_S = 60
BAR_MS = 100
LATENESS_BAR_MS = 5
_FRAMES = 9
_TRAFFIC_S = 6.0
_DATED = ("pods", "endpoints", "samples", "marks", "probes", "events", "attempts")
"""The records of a run that have an instant."""

_SERVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def measure() -> list[Row]:
    """Return two rows a chart, and one for the generator's lateness."""
    probes = Recording.load(_paths.COURSE / "recordings" / "probes-embedded.json")
    load = f"{LENGTH_S} s at {RATE_PER_S} requests/s"
    recordings = {
        f"update, {load}": _update(),
        f"autoscaling, {load}": _autoscaling(),
        f"probes, {LENGTH_S} s of the five variants kept": probes,
    }
    rows = []
    for name, recording in recordings.items():
        first_s, *others_s = _frames_s(recording)
        rows.append(at_most(f"live frame of {name}", 1000 * median(others_s), "ms", BAR_MS))
        rows.append(Row(f"first live frame of {name}", 1000 * first_s, "ms", "", True))
    plain_s, drawing_s = _lag_s(None), _lag_s(_autoscaling())
    what = "lateness that drawing adds to requests, 99th percentile"
    rows.append(at_most(what, max(0.0, 1000 * (drawing_s - plain_s)), "ms", LATENESS_BAR_MS))
    return rows


def _frames_s(recording: Recording) -> list[float]:
    """Return what each frame of the last seconds takes, the first one drawn of all."""
    chart = LiveChart()
    taken = []
    for end_s in range(LENGTH_S - _FRAMES, LENGTH_S + 1):
        began_s = time.perf_counter()
        _draw(chart, recording, end_s)
        taken.append(time.perf_counter() - began_s)
    return taken


def _draw(chart: LiveChart, recording: Recording, end_s: float) -> None:
    """Do what `Live` does with what there is of a recording at an instant, up to the message for the browser."""
    frame = chart.frame(lambda: charts.draw(_until(recording, end_s)))
    json.dumps(frame._repr_mimebundle_())


def _until(recording: Recording, end_s: float) -> Recording:
    """Return what there is of a recording at an instant, as a recorder does."""

    def cut(run: Run) -> Run:
        seen = {name: tuple(o for o in getattr(run, name) if o.at_s <= end_s) for name in _DATED}
        requests = tuple(one for one in run.requests if one.answered_s <= end_s)
        return replace(run, ended_s=min(end_s, run.ended_s), requests=requests, **seen)

    return replace(recording, runs=tuple(cut(run) for run in recording.runs))


def _lag_s(recording: Recording | None) -> float:
    """Return the 99th percentile of the requests' lateness while frames of a recording are drawn, or none."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            with Traffic(f"http://127.0.0.1:{port}/", rate_per_s=RATE_PER_S) as traffic:
                chart, frames = LiveChart(), 0
                end_s = time.monotonic() + _TRAFFIC_S
                while time.monotonic() < end_s:
                    began_s = time.monotonic()
                    if recording is not None:
                        _draw(chart, recording, LENGTH_S - _TRAFFIC_S + frames)
                        frames += 1
                    time.sleep(max(0.0, MIN_PERIOD_S - (time.monotonic() - began_s)))
        finally:
            server.kill()
    return traffic.effort.lag_p99_s


def _requests() -> tuple[Request, ...]:
    times = [number / RATE_PER_S for number in range(LENGTH_S * RATE_PER_S)]
    return tuple(
        Request(at_s, at_s, at_s + 0.01, 200, "v1" if at_s < LENGTH_S / 2 else "v2")
        for at_s in times
    )


def _pods() -> tuple[PodEvent, ...]:
    found = []
    for number in range(6):
        begin_s = 10.0 * number
        for kind, at_s in (
            ("created", begin_s),
            ("ready", begin_s + 3),
            ("terminating", begin_s + 25),
        ):
            found.append(PodEvent(at_s, f"p{number}", f"u{number}", kind, "receipt", "v1"))
    return tuple(found)


def _update() -> Recording:
    run = Run(
        "rolling",
        "2026-01-01T10:00:00+00:00",
        float(LENGTH_S),
        {"replicas": 3, "rate_per_s": RATE_PER_S},
        _requests(),
        _pods(),
        marks=(Mark(20.0, "apply"),),
    )
    return Recording("update", "embedded", "v1.37.0", (run,))


def _autoscaling() -> Recording:
    told = {
        "profile": "step",
        "points": [[0, 1], [5, 1], [5, 100], [45, 100], [45, 1]],
        "target_percent": 50,
        "min_replicas": 1,
        "max_replicas": 6,
        "cpu_s_per_request": 0.0034,
        "request_millicores": 200,
        "limit_millicores": 500,
        "sync_period_s": 5.0,
        "metrics_window_s": 2.0,
        "stabilization_s": 15,
    }
    samples = [
        Sample(float(at_s), name, value, "vitrine")
        for at_s in range(LENGTH_S)
        for name, value in (
            ("cpu_cores", 0.1),
            ("hpa_desired", 4.0 if 10 < at_s < 50 else 1.0),
            ("hpa_percent", 150.0),
        )
    ]
    run = Run(
        "step",
        "2026-01-01T10:00:00+00:00",
        float(LENGTH_S),
        told,
        _requests(),
        _pods(),
        samples=tuple(samples),
        marks=(Mark(5.0, "load"), Mark(45.0, "load-end")),
    )
    return Recording("autoscaling", "embedded", "v1.37.0", (run,))
