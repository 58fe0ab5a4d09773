"""A notebook's kernel under test: cells run in it, are stopped as the stop button does, and show what they show."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Cell:
    """A cell that was sent to a kernel.

    Attributes
    ----------
    error : mapping or None
        The `error` output, where there is one.
    """

    def __init__(self, client: BlockingKernelClient, source: str) -> None:
        self.error: Mapping[str, Any] | None = None
        self._client = client
        self._id = client.execute(source)
        self._texts: list[str] = []
        self._over = False

    def wait_for(self, words: str, timeout_s: float = 120.0) -> None:
        """Return once the cell has shown these words, wherever."""
        self._read(lambda: words in self.text, timeout_s)
        assert words in self.text, self.text

    def wait(self, timeout_s: float = 120.0) -> None:
        """Return once the cell has ended."""
        assert self.ends_within(timeout_s), f"the cell goes on: {self.text}"

    def ends_within(self, timeout_s: float) -> bool:
        """Return whether the cell has ended, at the latest after this many seconds."""
        self._read(lambda: False, timeout_s)
        return self._over

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._over

    @property
    def text(self) -> str:
        """All that it has shown so far."""
        return "\n".join(self._texts)

    @property
    def traceback(self) -> str:
        """What the student sees of its error, without colours."""
        return "" if self.error is None else _ANSI.sub("", "\n".join(self.error["traceback"]))

    def _read(self, seen: Callable[[], bool], timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while not (self._over or seen() or time.monotonic() > end_s):
            with contextlib.suppress(queue.Empty):
                self._take(self._client.get_iopub_msg(timeout=0.5))

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["parent_header"].get("msg_id") != self._id:
            return
        kind, content = message["msg_type"], message["content"]
        if kind == "error":
            self.error = content
        elif kind == "stream":
            self._texts.append(content["text"])
        elif "data" in content:
            self._texts += [str(shown) for shown in content["data"].values()]
        if kind == "status" and content["execution_state"] == "idle":
            self._over = True


class Kernel:
    """A Python kernel in a process of its own.

    Attributes
    ----------
    manager : KernelManager
        Of its process.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client

    @property
    def pid(self) -> int:
        """Its process."""
        provisioner: Any = self.manager.provisioner
        return int(provisioner.pid)

    def send(self, source: str) -> Cell:
        """Begin a cell."""
        return Cell(self._client, source)

    def run(self, source: str) -> Cell:
        """Run a cell to its end, which must be a good one."""
        cell = self.send(source)
        cell.wait()
        assert cell.error is None, cell.traceback
        return cell

    def press_stop(self, times: int = 1, apart_s: float = 0.3) -> None:
        """Press the stop button."""
        for number in range(times):
            time.sleep(apart_s if number else 0.0)
            self.manager.interrupt_kernel()


@contextlib.contextmanager
def kernel(environment: Mapping[str, str] | None = None) -> Iterator[Kernel]:
    """Give a kernel while a block runs; outputs are redrawn in it, as in JupyterLab."""
    manager = KernelManager()
    shown = {"K8S_HELPERS_LIVE": "1", "K8S_HELPERS_LIVE_REHEARSAL": "0"}
    manager.start_kernel(env={**os.environ, **shown, **(environment or {})})
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
