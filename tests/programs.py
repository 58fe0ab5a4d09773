"""A program of `apps/`, really started on a free loopback port, with its journal of JSON lines."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

PATIENCE_S = 180.0
"""How long anything may take here: a virtual machine on a busy machine needs it."""


class Answer:
    """What a program answered to one request."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()


class Program:
    """One process of a program; `lines` is its journal so far."""

    def __init__(self, argv: Sequence[str], cwd: Path | None = None, **environment: str) -> None:
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={"BIND_ADDR": "127.0.0.1", "PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def event(self, name: str) -> dict[str, Any]:
        """Return the first line of an event; wait for it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            for line in list(self.lines):
                if line["event"] == name:
                    return line
            assert not ended or self._reader.is_alive(), f"it ended: {self.lines}"
            time.sleep(0.01)
        raise AssertionError(f"no {name!r} in {self.lines}")

    def all(self, name: str, count: int) -> list[dict[str, Any]]:
        """Return the lines of an event, once there are `count` of them."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [line for line in list(self.lines) if line["event"] == name]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"{len(found)} of {count} {name!r}"
            time.sleep(0.01)

    def events(self) -> list[str]:
        """Return the names of the events so far."""
        return [line["event"] for line in list(self.lines)]

    @property
    def port(self) -> int:
        """The port that it listens on, waited for."""
        port = self.event("listening")["port"]
        assert isinstance(port, int)
        return port

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Make one request on a connection of its own."""
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path, headers={"Connection": "close", **headers})
            return Answer(connection.getresponse())

    def json(self, path: str, method: str = "GET") -> dict[str, Any]:
        """Make one request that must succeed, and return the object of its answer."""
        answer = self.ask(path, method)
        assert answer.status == 200, answer.text
        plain = json.loads(answer.text)
        assert isinstance(plain, dict)
        return plain

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self) -> int:
        """Wait for the end."""
        code = self.process.wait(timeout=PATIENCE_S)
        self._reader.join()
        return code

    def errors(self) -> str:
        """Return what an ended program wrote on standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


Start = Callable[..., Program]


@contextlib.contextmanager
def starting(argv: Sequence[str], cwd: Path | None = None, **defaults: str) -> Iterator[Start]:
    """Give a function that starts the program with an environment; all of them end with the block."""
    with contextlib.ExitStack() as stack:

        def started(**environment: str) -> Program:
            program = Program(argv, cwd, **{**defaults, **environment})
            stack.callback(program.close)
            return program

        yield started
