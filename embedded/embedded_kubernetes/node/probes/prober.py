"""The probes of one life of a container: startup first, then readiness and liveness at their periods.

A probe has a ticker that runs since its pod came, before its containers start and across their restarts: a check is
made at a tick, never because the initial delay is over. Ticks during that delay are let pass. Readiness is asked once
more, and its ticker begins anew, at the container's start and whenever its pod is looked at while it is not ready: so a
first check that fails is repeated at once. Readiness and liveness wait for the startup probe. What a probe says changes
only after as many equal answers in a row as its threshold.
(source: `run` and `doProbe` of `pkg/kubelet/prober/worker.go`, `UpdatePodStatus` of `prober_manager.go`)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from ..records import Object, Record
from .checks import CheckResult, Checks, ProbeTarget

ProbeKind = Literal["startup", "readiness", "liveness"]

_TITLES: dict[ProbeKind, str] = {
    "startup": "Startup",
    "readiness": "Readiness",
    "liveness": "Liveness",
}


class Threshold:
    """Counts equal answers in a row against a probe's thresholds."""

    def __init__(self, probe: Object) -> None:
        self._needed = {
            True: int(probe.get("successThreshold", 1)),
            False: int(probe.get("failureThreshold", 3)),
        }
        self._last: bool | None = None
        self._run = 0

    def add(self, ok: bool) -> bool | None:
        """Take one more answer; return what the probe says now, None where the row is too short for it."""
        self._run = self._run + 1 if ok == self._last else 1
        self._last = ok
        return ok if self._run >= self._needed[ok] else None


class ContainerProbes:
    """Runs the probes of one life of a container.

    Parameters
    ----------
    record : Record
        Its `started`, `ready` and `failed_probe` follow the probes.
    target : ProbeTarget
        What is checked.
    checks : Checks
        Makes the checks.
    on_change : callable
        Called when one of the record's fields has changed.
    on_event : callable
        Called with reason and message of a Warning.
    ticking_since_s : float, optional
        Instant of `time.monotonic()` from which tickers count: when the pod came. Now by default.
    """

    def __init__(
        self,
        record: Record,
        target: ProbeTarget,
        checks: Checks,
        on_change: Callable[[], None],
        on_event: Callable[[str, str], None],
        ticking_since_s: float | None = None,
    ) -> None:
        self._record = record
        self._target = target
        self._checks = checks
        self._on_change = on_change
        self._on_event = on_event
        # The kubelet keeps a container's start in whole seconds (`normalizeStatus` of `status_manager.go`).
        self._started_wall_s = int(record.started_wall_s)
        self._ticking_since_s = time.monotonic() if ticking_since_s is None else ticking_since_s
        self._tasks: dict[ProbeKind, asyncio.Task[None]] = {}
        self._due_s: dict[ProbeKind, float] = {}
        self._wanted = asyncio.Event()
        self._ended: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; sets `started` and `ready` as they are before the first answers."""
        spec = self._record.spec
        self._record.started = "startupProbe" not in spec
        self._record.ready = "readinessProbe" not in spec
        if self._record.started:
            self.ask_readiness()
            self._start_others()
        else:
            self._run("startup")

    def ask_readiness(self) -> None:
        """Ask for readiness as soon as may be, whatever its ticks."""
        self._wanted.set()

    def container_ended(self) -> None:
        """Stop asking; at its next tick each probe whose word is still good finds the container ended, and says so."""
        due_s = [
            self._due_s[kind]
            for kind, task in self._tasks.items()
            if not task.done() and (kind != "readiness" or self._record.ready)
        ]
        self.stop()
        if due_s:
            delay_s = max(0.0, min(due_s) - time.monotonic())
            self._ended = asyncio.get_running_loop().call_later(delay_s, self._on_change)

    def stop(self, *kinds: ProbeKind) -> None:
        """Stop the probes of some kinds, or all."""
        for kind in kinds or tuple(self._tasks):
            task = self._tasks.pop(kind, None)
            if task is not None:
                task.cancel()
        if not kinds and self._ended is not None:
            self._ended.cancel()

    def _start_others(self) -> None:
        for kind in ("readiness", "liveness"):
            if f"{kind}Probe" in self._record.spec:
                self._run(kind)

    def _run(self, kind: ProbeKind) -> None:
        probe = self._record.spec[f"{kind}Probe"]
        now_s = time.monotonic()
        self._due_s[kind] = now_s + -(now_s - self._ticking_since_s) % _period_s(probe)
        self._tasks[kind] = asyncio.create_task(
            self._probe(kind, probe),
            name=f"{kind} probe of {self._record.name}",
        )

    async def _probe(self, kind: ProbeKind, probe: Object) -> None:
        period_s, due_s = _period_s(probe), self._due_s[kind]
        threshold = Threshold(probe)
        if kind == "readiness" and self._wanted.is_set():
            # That it is not ready yet is news of the probe: the pod is looked at, which asks once more.
            self._on_change()
        while True:
            self._due_s[kind] = due_s
            if await self._turn(kind, due_s):
                due_s = time.monotonic()
            if not self._delayed(probe) and await self._check(kind, probe, threshold):
                return
            # A ticker drops the ticks that a slow check has missed.
            due_s += period_s * max(1, -(-(time.monotonic() - due_s) // period_s))

    async def _turn(self, kind: ProbeKind, due_s: float) -> bool:
        """Return when a check is to be made; whether it was asked for out of turn."""
        if kind != "readiness":
            await asyncio.sleep(due_s - time.monotonic())
            return False
        try:
            async with asyncio.timeout_at(
                asyncio.get_running_loop().time() + due_s - time.monotonic()
            ):
                await self._wanted.wait()
        except TimeoutError:
            return False
        self._wanted.clear()
        return True

    def _delayed(self, probe: Object) -> bool:
        """Return whether it is too early for a probe."""
        age_s = time.time() - self._started_wall_s
        return age_s < float(probe.get("initialDelaySeconds", 0))

    async def _check(self, kind: ProbeKind, probe: Object, threshold: Threshold) -> bool:
        """Ask once; return whether the probe is over for this life of the container."""
        verdict = await self._checks.check(probe, self._target)
        self._tell(kind, verdict)
        if verdict.ok is None:
            return False
        result = threshold.add(verdict.ok)
        return result is not None and self._take(kind, result)

    def _tell(self, kind: ProbeKind, verdict: CheckResult) -> None:
        title = _TITLES[kind]
        if verdict.ok is None:
            words = f"{title} probe errored and resulted in {verdict.state} state: {verdict.output}"
            self._on_event("Unhealthy", words)
        elif not verdict.ok:
            self._on_event("Unhealthy", f"{title} probe failed: {verdict.output}")
        elif verdict.warning:
            self._on_event("ProbeWarning", f"{title} probe warning: {verdict.output}")

    def _take(self, kind: ProbeKind, result: bool) -> bool:
        """Note what a probe says; return whether it is over for this life of the container."""
        record = self._record
        if kind == "readiness":
            if record.ready != result:
                record.ready = result
                self._on_change()
            return False
        if not result:
            record.failed_probe = kind
            self._on_change()
            return True
        if kind == "startup":
            record.started = True
            self._start_others()
            self._on_change()
            return True
        return False


def _period_s(probe: Object) -> float:
    return float(probe.get("periodSeconds", 10))
