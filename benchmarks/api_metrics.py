"""What an API server says of the requests that it has answered, between two readings of its `/metrics`.

(source: https://kubernetes.io/docs/reference/instrumentation/metrics/)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

LONG = frozenset({"WATCH", "CONNECT", "WATCHLIST", "PROXY"})
"""Verbs of requests that last as long as who asks wants."""

_DURATION = "apiserver_request_duration_seconds"
Buckets = Counter[float]


@dataclass(frozen=True)
class Reading:
    """One reading; counts since the server began.

    Attributes
    ----------
    buckets : mapping of str to Counter
        By verb, how many requests took at most so many seconds.
    refused : int
        Requests that were answered 429.
    watches : int
        Watches that are open now.
    storage_bytes, memory_bytes, cpu_s : float
        Of etcd; of the API server's process.
    """

    buckets: Mapping[str, Buckets] = field(default_factory=dict)
    refused: int = 0
    watches: int = 0
    storage_bytes: float = 0.0
    memory_bytes: float = 0.0
    cpu_s: float = 0.0


def read(text: str) -> Reading:
    """Return what a `/metrics` page says."""
    buckets: dict[str, Buckets] = {}
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels
            if sample.name == f"{_DURATION}_bucket":
                verb = buckets.setdefault(labels["verb"], Counter())
                verb[float(labels["le"])] += int(sample.value)
            elif sample.name == "apiserver_request_total" and labels.get("code") == "429":
                sums["refused"] += int(sample.value)
            elif sample.name == "apiserver_longrunning_requests" and labels["verb"] == "WATCH":
                sums["watches"] += int(sample.value)
            elif sample.name == "apiserver_storage_size_bytes":
                sums["storage"] += int(sample.value)
            elif sample.name == "process_resident_memory_bytes":
                sums["memory"] += int(sample.value)
            elif sample.name == "process_cpu_seconds_total":
                sums["cpu_ms"] += int(sample.value * 1000)
    return Reading(
        buckets,
        sums["refused"],
        sums["watches"],
        sums["storage"],
        sums["memory"],
        sums["cpu_ms"] / 1000,
    )


def between(before: Reading, after: Reading) -> dict[str, Buckets]:
    """Return by verb what was answered meanwhile, long requests left out."""
    made = {
        verb: Counter(
            {le: number - before.buckets.get(verb, Counter())[le] for le, number in counted.items()}
        )
        for verb, counted in after.buckets.items()
        if verb not in LONG
    }
    return {verb: counted for verb, counted in made.items() if counted[float("inf")] > 0}


def together(buckets: Mapping[str, Buckets]) -> Buckets:
    """Return the buckets of all verbs as one."""
    whole: Buckets = Counter()
    for counted in buckets.values():
        whole.update(counted)
    return whole


def quantile(buckets: Buckets, share: float) -> float:
    """Return a quantile in seconds, taken evenly within its bucket, as Prometheus' `histogram_quantile` does."""
    most = buckets[float("inf")]
    wanted, below, below_s = share * most, 0, 0.0
    for limit_s in sorted(buckets):
        if buckets[limit_s] >= wanted:
            if limit_s == float("inf") or buckets[limit_s] == below:
                return below_s
            part = (wanted - below) / (buckets[limit_s] - below)
            return below_s + part * (limit_s - below_s)
        below, below_s = buckets[limit_s], limit_s
    return below_s
