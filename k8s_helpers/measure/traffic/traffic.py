"""Traffic on a Service while a block of code runs, and what became of each request."""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from ..._errors import ResourceError, UsageError
from ..._interruption import stoppable_class
from ...kube import proxies
from ...kube.http import ServiceAddress
from ..recording import Incident, Request
from .effort import Effort, effort
from .generator.plan import Order
from .profile import Profile
from .runners import LocalRunner, PodRunner, Runner

if TYPE_CHECKING:
    from .clocks import Clocks, Exchange

_START_TIMEOUT_S = 30.0
_MAX_REQUESTS = 200_000
_MAX_IN_FLIGHT = 1_000
_GRACE_S = 5.0
"""What the generator gets beyond the last request's time-out before it is killed."""

_EXCHANGES = 12
"""Questions about the other clock, before the traffic and after it: the shortest counts."""
_ANSWER_S = 5.0
_BEAT_S = 1.0
_SILENCE_S = 10.0
"""A generator far away that answers nothing for so long is lost, with its node or the way to it."""


class TrafficCutError(ResourceError):
    """The generator ended before the traffic was over: what it told until then is kept."""


@stoppable_class
class Traffic:
    """Open-loop HTTP traffic: requests leave at their planned instants whatever the answers do.

    Parameters
    ----------
    address : str or ServiceAddress
        URL, or what `Namespace.service_url` gave: where only the API server leads there from here, the
        generator runs in a pod of the cluster.
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
    TrafficCutError
        The generator does not start, or dies.
    ApiRefusedError, WaitTimeoutError
        It would have to run in a pod, and the cluster does not let it (rights, quota, image).

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
        self._inside = address.inside if isinstance(address, ServiceAddress) else None
        self._zero_s = zero_monotonic_s
        self._records: list[Request] = []
        self._began = threading.Event()
        self._over = threading.Event()
        """Nothing more will come: it was said, or there is nobody any more to say it."""
        self._gone = threading.Event()
        self._greeted = False
        self._report: dict[str, Any] | None = None
        """What the generator says once nothing more will come."""
        self._runner: Runner | None = None
        self._complaint = ""
        self._reader: threading.Thread | None = None
        self._clocks: Clocks | None = None
        self._answers: dict[int, float] = {}
        """When the other clock was asked, by number."""
        self._exchanges: list[Exchange] = []
        self._heard = threading.Condition()
        self._heard_s = 0.0

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

    @property
    def cpu_s(self) -> float:
        """Processor seconds of the generator, its own start included; 0 until it has stopped."""
        return 0.0 if self._report is None else float(self._report["cpu_s"])

    @property
    def parameters(self) -> dict[str, Any]:
        """Where the traffic left from, for a recording.

        `sent_from` is "here" or "pod"; of a pod also `clock_ahead_s` (its clock's offset from ours), `clock_drift`
        (seconds a second) and `clock_uncertainty_s`, and at the end what its processor limit is (`cpu_limit`, in
        processors) and for how long that held it back (`throttled_s`).
        """
        if self._inside is None:
            return {"sent_from": "here"}
        found: dict[str, Any] = {"sent_from": "pod"}
        if self._clocks is not None:
            found |= {
                "clock_ahead_s": round(self._clocks.first.ahead_s, 6),
                "clock_drift": round(self._clocks.drift, 9),
                "clock_uncertainty_s": round(self._clocks.uncertainty_s, 6),
            }
        if self._report is not None:
            found |= {name: self._report[name] for name in ("cpu_limit", "throttled_s")}
        return found

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """That the traffic was cut, where it was; times as those of the requests."""
        if not self._is_cut():
            return ()
        last_s = max((record.answered_s for record in self._records.copy()), default=0.0)
        return (Incident(last_s, "trafic", "coupé avant la fin"),)

    def check(self) -> None:
        """Raise where the traffic was cut; nothing while all is well.

        Raises
        ------
        TrafficCutError
            The generator has ended before it was told to.
        """
        if self._is_cut():
            raise self._broken("il s’est arrêté avant la fin")

    def start(self) -> None:
        """Start the generator and return once its first request is due."""
        self._runner = PodRunner(self._inside) if self._inside is not None else LocalRunner()
        self._reader = threading.Thread(target=self._read, name="traffic-reader", daemon=True)
        self._reader.start()
        if self._runner.remote:
            self._compare_clocks()
        self._runner.send(self._order.to_json())
        if not self._began.wait(_START_TIMEOUT_S) or not self._greeted:
            raise self._broken("il n’a pas démarré")
        if self._runner.remote:
            threading.Thread(target=self._keep_in_touch, args=(self._runner,), daemon=True).start()

    def stop(self) -> tuple[Request, ...]:
        """Stop sending, wait for the answers still to come, and return all requests.

        Raises
        ------
        TrafficCutError
            The generator ended before it was told to.
        """
        runner = self._runner
        if runner is None:
            return self.requests
        try:
            runner.send('{"stop": true}')
            self._over.wait(self._order.timeout_s + _GRACE_S)
            if runner.remote and self._report is not None:
                self._compare_clocks()
        finally:
            self._kill()
        self.check()
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

    # --- what the generator says, in a thread of its own

    def _read(self) -> None:
        assert self._runner is not None
        try:
            for line in self._runner.lines():
                self._heard_s = time.monotonic()
                self._take(json.loads(line))
        finally:
            self._gone.set()
            self._began.set()
            self._over.set()
            with self._heard:
                self._heard.notify_all()

    def _take(self, message: Any) -> None:
        if isinstance(message, list):
            planned_s, sent_s, answered_s, *rest = message
            before_s = self._zero_s or 0.0
            if self._clocks is not None:
                before_s += self._clocks.first.ahead_s
            self._records.append(
                Request(planned_s - before_s, sent_s - before_s, answered_s - before_s, *rest)
            )
        elif "pong" in message:
            self._take_answer(message)
        elif "began_s" in message:
            self._greeted = True
            began_s = message["began_s"]
            if self._clocks is not None:
                began_s -= self._clocks.first.ahead_s
            if self._zero_s is None:
                self._zero_s = began_s
            time.sleep(max(0.0, began_s - time.monotonic()))
            self._began.set()
        else:
            self._report = message
            self._over.set()

    # --- another machine's clock

    def _ask(self, runner: Runner) -> int:
        number = len(self._answers)
        self._answers[number] = time.monotonic()
        runner.send(json.dumps({"ping": number}))
        return number

    def _take_answer(self, message: dict[str, Any]) -> None:
        from .clocks import Exchange

        exchange = Exchange(self._answers[message["pong"]], message["at_s"], self._heard_s)
        with self._heard:
            self._exchanges.append(exchange)
            self._heard.notify_all()

    def _compare_clocks(self) -> None:
        """Ask the other clock some times; the second time, take what it gained meanwhile out of the records."""
        from .clocks import Clocks, Offset

        assert self._runner is not None
        before = len(self._exchanges)
        for number in range(1, _EXCHANGES + 1):
            self._ask(self._runner)
            with self._heard:
                self._heard.wait_for(
                    lambda: self._gone.is_set() or len(self._exchanges) >= before + number,  # noqa: B023
                    _ANSWER_S,
                )
        exchanges = self._exchanges[before:]
        if not exchanges:
            if self._clocks is None:
                raise self._broken("il n’a pas démarré")
            return
        offset = Offset.best(exchanges)
        if self._clocks is None:
            self._clocks = Clocks(offset, offset)
            return
        self._clocks = Clocks(self._clocks.first, offset)
        self._records = [self._corrected(record) for record in self._records]

    def _corrected(self, record: Request) -> Request:
        assert self._clocks is not None
        clocks, zero_s = self._clocks, self.zero_monotonic_s

        def corrected(at_s: float) -> float:
            return clocks.ours(at_s + zero_s + clocks.first.ahead_s) - zero_s

        return replace(
            record,
            planned_s=corrected(record.planned_s),
            sent_s=corrected(record.sent_s),
            answered_s=corrected(record.answered_s),
        )

    def _keep_in_touch(self, runner: Runner) -> None:
        """Ask now and then: proxies cut what is silent for long, and a node that is gone says nothing at all."""
        while self._runner is runner and not self._over.wait(_BEAT_S):
            self._ask(runner)
            if time.monotonic() - self._heard_s > _SILENCE_S:
                runner.close()
                return

    # --- its end

    def _is_cut(self) -> bool:
        return self._greeted and self._gone.is_set() and self._report is None

    def _kill(self) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        runner.close()
        if self._reader is not None:
            self._reader.join()
        self._complaint = runner.complaint()

    def _broken(self, found: str) -> TrafficCutError:
        here = self._inside is None
        said = self._complaint if self._runner is None else self._runner.complaint()
        return TrafficCutError(
            f"Envoyer du trafic à {self._order.url} par {LocalRunner.where if here else PodRunner.where}",
            f"{found} ({len(self._records)} requêtes notées{f' ; {said}' if said else ''})",
            "Vérifiez la mémoire libre (« k8s-lab doctor »), puis relancez la mesure."
            if here
            else "La connexion au pod est coupée, le pod ou son nœud a disparu : regardez « kubectl get pods,nodes », "
            "puis relancez la mesure, qui refait un pod.",
        )


def _asked(url: str) -> str:
    """Return what to ask for: the API server redirects a Service's own address to the same with a final slash.

    Source: `UpgradeAwareHandler.ServeHTTP` (apimachinery, pkg/util/proxy/upgradeaware.go).
    """
    return f"{url}/" if url.endswith("/proxy") else url


def _way(address: ServiceAddress) -> dict[str, Any]:
    """Return the part of an order that says where to and how; raises a `UsageError` for what is no URL."""
    if address.inside is not None:
        return {"url": address.inside.url}
    parts = urlsplit(address.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            "Préparer le trafic",
            f"« {address.url} » n’est pas une adresse http",
            "Donnez ce que rend service_url(), ou une adresse comme http://127.0.0.1:30000/.",
        )
    pair = proxies.credentials(address.proxy) if address.proxy else None
    encoded = base64.b64encode(":".join(pair).encode()).decode() if pair else ""
    files = {name: getattr(address, name) for name in ("ca_file", "cert_file", "key_file")}
    plain = {name: getattr(address, name) for name in ("verify", "server_hostname", "proxy")}
    plain["proxy_authorization"] = f"Basic {encoded}" if encoded else None
    return {"url": _asked(address.url), "headers": dict(address.headers), **plain} | {
        name: str(path) for name, path in files.items() if path is not None
    }
