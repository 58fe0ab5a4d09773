"""Traffic on a Service while a block of code runs, and what became of each request."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from embedded_kubernetes import processes

from ..._errors import ResourceError, UsageError
from ..._interruption import stoppable_class
from ...kube.http import ServiceAddress
from ..recording import Request
from .profile import Order, Profile

_START_TIMEOUT_S = 30.0
_MAX_REQUESTS = 200_000
_MAX_IN_FLIGHT = 1_000
_GRACE_S = 5.0
"""What the worker gets beyond the last request's time-out before it is killed."""


@stoppable_class
class Traffic:
    """Open-loop HTTP traffic: requests leave at their planned instants whatever the answers do.

    Parameters
    ----------
    address : str or ServiceAddress
        URL, or what `Namespace.service_url` gave (with headers and certificates where the API server is the way).
    rate_per_s : float, optional
        Constant rate; give this or `profile`.
    profile : Profile, optional
        Rate over time.
    timeout_s : float
        After this many seconds without a whole answer a request has failed.
    method : str
        HTTP method.
    keep_alive : bool
        Reuse connections. By default each request opens its own, since a Service balances connections, not requests
        (https://kubernetes.io/docs/reference/networking/virtual-ips/).
    max_duration_s : float
        The traffic ends by itself after this many seconds.
    expected : str
        What a good page contains: an answer without it is a failure ("content"), whatever its status says.
    zero_monotonic_s : float, optional
        Instant of `time.monotonic()` that is 0 in the records; the start of the traffic where it is not given.

    Raises
    ------
    UsageError
        No rate or two, a rate or a duration that makes no sense.
    ResourceError
        The generator's process does not start, or dies.

    Examples
    --------
    >>> with Traffic("http://127.0.0.1:30000/", rate_per_s=50) as traffic:
    ...     ...
    >>> traffic.requests
    """

    def __init__(
        self,
        address: str | ServiceAddress,
        *,
        rate_per_s: float | None = None,
        profile: Profile | None = None,
        timeout_s: float = 2.0,
        method: str = "GET",
        keep_alive: bool = False,
        max_duration_s: float = 600.0,
        expected: str = "",
        zero_monotonic_s: float | None = None,
    ) -> None:
        if (
            (rate_per_s is None) == (profile is None)
            or timeout_s <= 0
            or not 0 < max_duration_s < math.inf
        ):
            raise UsageError(
                "Préparer le trafic",
                f"débit {rate_per_s!r}, profil {profile!r}, délai {timeout_s!r} s, durée {max_duration_s!r} s",
                "Donnez un débit ou un profil (l’un des deux), et des durées positives.",
            )
        self._order = Order(
            points=(profile or Profile.constant(rate_per_s or 0.0)).points,
            timeout_s=timeout_s,
            method=method,
            keep_alive=keep_alive,
            max_requests=_MAX_REQUESTS,
            max_duration_s=max_duration_s,
            max_in_flight=_MAX_IN_FLIGHT,
            expected=expected,
            **_way(ServiceAddress(address) if isinstance(address, str) else address),
        )
        self._zero_s = zero_monotonic_s
        self._records: list[Request] = []
        self._began = threading.Event()
        self._greeted = False
        self._over = False
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def zero_monotonic_s(self) -> float:
        """Instant of `time.monotonic()` that is 0 in the records; known once the traffic has started."""
        assert self._zero_s is not None
        return self._zero_s

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests whose outcome is known by now, in the order in which they were planned."""
        return tuple(sorted(self._records.copy(), key=lambda record: record.planned_s))

    @property
    def effort(self) -> Effort:
        """How well the generator kept to its plan."""
        return effort(self._records.copy())

    def start(self) -> None:
        """Start the generator's process and return once its first request is due."""
        # It dies when its input closes, hence with us: PR_SET_PDEATHSIG would tie it to the calling thread. A session
        # of its own keeps a notebook's interrupt from it.
        self._process = processes.spawn(
            [sys.executable, "-m", "k8s_helpers.measure.traffic.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            die_with_parent=False,
            new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._order.to_json().encode() + b"\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, name="traffic-reader", daemon=True)
        self._reader.start()
        if not self._began.wait(_START_TIMEOUT_S) or not self._greeted:
            self._kill()
            raise self._broken("il n’a pas démarré")

    def stop(self) -> tuple[Request, ...]:
        """Stop sending, wait for the answers still to come, and return all requests.

        Raises
        ------
        ResourceError
            The generator's process died before its end.
        """
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return self.requests
        self._process = None
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.close()
            reader.join(self._order.timeout_s + _GRACE_S)
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()
        if not self._over:
            raise self._broken("il s’est arrêté avant la fin")
        return self.requests

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self._kill()

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line))
        self._began.set()

    def _take(self, message: Any) -> None:
        if isinstance(message, list):
            planned_s, sent_s, answered_s, *rest = message
            zero_s = self._zero_s or 0.0
            self._records.append(
                Request(planned_s - zero_s, sent_s - zero_s, answered_s - zero_s, *rest)
            )
        elif "began_s" in message:
            self._greeted = True
            if self._zero_s is None:
                self._zero_s = message["began_s"]
            time.sleep(max(0.0, message["began_s"] - time.monotonic()))
            self._began.set()
        else:
            self._over = True

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self._reader is not None:
            self._reader.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _broken(self, found: str) -> ResourceError:
        return ResourceError(
            f"Envoyer du trafic à {self._order.url} par un processus à part",
            f"{found} ({len(self._records)} requêtes notées)",
            "Vérifiez la mémoire libre (« k8s-lab doctor »), puis relancez la mesure.",
        )


def _asked(url: str) -> str:
    """Return what to ask for: the API server redirects a Service's own address to the same with a final slash.

    Source: `UpgradeAwareHandler.ServeHTTP` (apimachinery, pkg/util/proxy/upgradeaware.go).
    """
    return f"{url}/" if url.endswith("/proxy") else url


def _way(address: ServiceAddress) -> dict[str, Any]:
    files = {name: getattr(address, name) for name in ("ca_file", "cert_file", "key_file")}
    plain = {name: getattr(address, name) for name in ("verify", "server_hostname", "proxy")}
    return {"url": _asked(address.url), "headers": dict(address.headers), **plain} | {
        name: str(path) for name, path in files.items() if path is not None
    }


@dataclass(frozen=True)
class Effort:
    """How well the generator kept to its plan.

    Attributes
    ----------
    planned, sent, unsent : int
        Requests that were due, that left, and that did not because too many were waiting for an answer.
    lag_p99_s, lag_max_s : float
        99th percentile and maximum of (sent − planned), in seconds; 0 where nothing was sent.
    """

    planned: int
    sent: int
    unsent: int
    lag_p99_s: float
    lag_max_s: float


def effort(requests: Iterable[Request]) -> Effort:
    """Tell from the records themselves how well the generator kept to its plan."""
    records = list(requests)
    lags = sorted(
        record.sent_s - record.planned_s for record in records if record.error != "unsent"
    )
    if not lags:
        return Effort(len(records), 0, len(records), 0.0, 0.0)
    p99 = lags[max(0, math.ceil(0.99 * len(lags)) - 1)]
    return Effort(len(records), len(lags), len(records) - len(lags), p99, lags[-1])
