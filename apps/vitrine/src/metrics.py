"""Counters in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

import threading
import time
from pathlib import Path

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PAGE_BYTES = 4096


class Metrics:
    """How many requests, with which status, how long they took, how many are under way."""

    def __init__(self, version: str) -> None:
        self._lock = threading.Lock()
        self._version = version
        self._by_status = {}
        self._buckets = dict.fromkeys(BUCKETS_S, 0)
        self._count = 0
        self._sum_s = 0.0
        self.in_flight = 0

    def begin(self) -> None:
        """Note that a request begins."""
        with self._lock:
            self.in_flight += 1

    def end(self, method: str, status: int, duration_s: float, counted: bool = True) -> None:
        """Note that a request has its answer; those of probes and of who collects metrics are not counted."""
        with self._lock:
            self.in_flight -= 1
            if not counted:
                return
            self._by_status[method, status] = self._by_status.get((method, status), 0) + 1
            self._count += 1
            self._sum_s += duration_s
            for bound_s in BUCKETS_S:
                if duration_s <= bound_s:
                    self._buckets[bound_s] += 1

    def text(self) -> str:
        """Return all values, as Prometheus reads them."""
        with self._lock:
            return "\n".join([*self._requests(), *self._durations(), *self._process()]) + "\n"

    def _requests(self):
        yield "# HELP vitrine_requests_total Requêtes servies, par méthode et par code HTTP."
        yield "# TYPE vitrine_requests_total counter"
        for (method, status), count in sorted(self._by_status.items()):
            labels = f'method="{method}",status="{status}",version="{self._version}"'
            yield f"vitrine_requests_total{{{labels}}} {count}"
        yield "# HELP vitrine_requests_in_flight Requêtes en cours."
        yield "# TYPE vitrine_requests_in_flight gauge"
        yield f"vitrine_requests_in_flight {self.in_flight}"

    def _durations(self):
        name = "vitrine_request_duration_seconds"
        yield f"# HELP {name} Durée des requêtes, en secondes."
        yield f"# TYPE {name} histogram"
        for bound_s, count in self._buckets.items():
            yield f'{name}_bucket{{le="{bound_s:g}"}} {count}'
        yield f'{name}_bucket{{le="+Inf"}} {self._count}'
        yield f"{name}_sum {self._sum_s:.6f}"
        yield f"{name}_count {self._count}"

    def _process(self):
        yield "# HELP process_cpu_seconds_total Temps de processeur consommé, en secondes."
        yield "# TYPE process_cpu_seconds_total counter"
        yield f"process_cpu_seconds_total {time.process_time():.3f}"
        yield "# HELP process_resident_memory_bytes Mémoire occupée, en octets."
        yield "# TYPE process_resident_memory_bytes gauge"
        yield f"process_resident_memory_bytes {resident_bytes()}"


def resident_bytes() -> int:
    """Return the memory that this process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
