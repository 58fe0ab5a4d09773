"""One check of a container's health: http, tcp, exec or grpc.

(source: `k8s.io/kubernetes/pkg/probe`)
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import aiohttp

from ..cri import Container, ContainerStartError, exec_failure
from ..environment.expansion import expand, lookup_in
from ..network.sockets import Sockets, open_connection
from ..records import Object
from .answers import Trip, beginning, malformed

_OUTPUT_BYTES = 10 * 1024
_REQUESTS = 10
"""A redirect after the tenth request is not followed."""
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_TRIES = 3
"""How often a check is made that could not be made, before that is told (`maxProbeRetries`)."""


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Attributes
    ----------
    ok : bool or None
        None where the check itself could not be made: it counts neither way.
    output : str
        The kubelet's words.
    warning : bool
        Passed, with something to say.
    state : "unknown" or "failure"
        The kubelet's word for what a check that could not be made has left.
    """

    ok: bool | None
    output: str = ""
    warning: bool = False
    state: str = "unknown"


@dataclass(frozen=True)
class ProbeTarget:
    """Where a container is checked.

    Attributes
    ----------
    spec : dict
        The container's.
    address : str
        Address that its programs are reached at.
    shown : Callable
        Returns the address that the API shows for one that is reached.
    """

    container: Container
    spec: Object
    address: str
    shown: Callable[[str], str]


class Checks:
    """Makes checks; all HTTP ones share one client.

    Parameters
    ----------
    version : str
        The kubelet's, for its user agent (`1.37`).
    sockets : Sockets
        Of the network that pods are in.
    """

    def __init__(self, version: str, sockets: Sockets) -> None:
        self.version = version
        self._sockets = sockets
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                family=socket.AF_INET,
                force_close=True,
                ssl=context,
                socket_factory=sockets.connector_factory(),
            ),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept-Encoding",),
        )

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    async def check(self, probe: Object, target: ProbeTarget) -> CheckResult:
        """Make the check of a probe; once more, and once again, where it could not be made."""
        for _ in range(_TRIES):
            verdict = await self._once(probe, target)
            if verdict.ok is not None:
                break
        return verdict

    async def _once(self, probe: Object, target: ProbeTarget) -> CheckResult:
        timeout_s = float(probe.get("timeoutSeconds", 1))
        if "exec" in probe:
            env = {
                variable["name"]: variable.get("value", "")
                for variable in target.spec.get("env") or ()
            }
            argv = [expand(word, lookup_in(env)) for word in probe["exec"].get("command") or ()]
            return await check_exec(target.container, argv, timeout_s)
        if "httpGet" in probe:
            return await self.http(probe["httpGet"], target, timeout_s)
        if "tcpSocket" in probe:
            return await self._tcp(probe["tcpSocket"], target, timeout_s)
        if "grpc" in probe:
            return await self._grpc(probe["grpc"], target, timeout_s)
        return CheckResult(None, "missing probe handler")

    async def _tcp(self, action: Object, target: ProbeTarget, timeout_s: float) -> CheckResult:
        try:
            port = resolve_port(action["port"], target.spec)
        except ValueError as error:
            return CheckResult(None, str(error))
        host = action.get("host") or target.address
        where = f"{action.get('host') or target.shown(target.address)}:{port}"
        try:
            async with asyncio.timeout(timeout_s):
                _, writer = await open_connection(self._sockets, host, port)
            writer.transport.abort()
        except TimeoutError:
            return CheckResult(False, f"dial tcp {where}: i/o timeout")
        except OSError as error:
            return CheckResult(False, f"dial tcp {where}: connect: {_reason(error)}")
        return CheckResult(True)

    async def _grpc(self, action: Object, target: ProbeTarget, timeout_s: float) -> CheckResult:
        # Few pods have one, and its HTTP/2 library takes memory that the others need not pay.
        from . import grpc_health

        ok, output = await grpc_health.check(
            target.address,
            action["port"],
            action.get("service") or "",
            timeout_s,
            functools.partial(open_connection, self._sockets),
        )
        return CheckResult(ok, output.replace(target.address, target.shown(target.address)))

    async def http(self, action: Object, target: ProbeTarget, timeout_s: float) -> CheckResult:
        """Make an HTTP check: 200 to 299 pass; so does a redirect that is not followed, with a warning."""
        try:
            port = resolve_port(action["port"], target.spec)
        except ValueError as error:
            return CheckResult(None, str(error))
        url, headers = request(action, target, port, f"kube-probe/{self.version}")
        trip = Trip(_shown(url, action, target), {} if action.get("host") else _reached(target))
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(trip, headers)
        except TimeoutError:
            if trip.answered:
                # The answer has begun: the kubelet takes this for its own trouble, not for the program's.
                words = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
                return CheckResult(None, words, state="failure")
            words = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        except aiohttp.ClientPayloadError:
            return CheckResult(None, "unexpected EOF", state="failure")
        except aiohttp.ClientConnectorSSLError:
            words = "tls: first record does not look like a TLS handshake"
        except aiohttp.ClientConnectorError as error:
            words = f"dial tcp {urlsplit(trip.url).netloc}: connect: {_reason(error.os_error)}"
        except aiohttp.ClientResponseError as error:
            words = malformed(error.message)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            words = "EOF" if isinstance(error, aiohttp.ServerDisconnectedError) else str(error)
        return CheckResult(False, f'Get "{trip.url}": {words}')

    async def _follow(self, trip: Trip, headers: Mapping[str, str]) -> CheckResult:
        """Make the request, and those that its answers redirect to on the same host."""
        own_host = headers["Host"]
        for number in range(1, _REQUESTS + 1):
            trip.answered = False
            async with self._client.get(
                trip.reached(), headers=headers, allow_redirects=False
            ) as answer:
                trip.answered = True
                status, to = answer.status, answer.headers.get("Location", "")
                body = await beginning(answer.content, _OUTPUT_BYTES)
            following = urljoin(trip.url, to)
            redirects = status in _REDIRECT_STATUSES and to != ""
            if redirects and urlsplit(following).hostname == urlsplit(trip.url).hostname:
                if number == _REQUESTS:
                    return CheckResult(False, f'Get "{to}": stopped after 10 redirects')
                # A host of the probe's own outlives only a redirect that names none.
                host = urlsplit(following).netloc if urlsplit(to).netloc else own_host
                headers = {**headers, "Host": host, "Referer": trip.url}
                trip.url = following
                continue
            if 300 <= status < 400:
                words = f"Probe terminated redirects, Response body: {body}"
                return CheckResult(True, words, warning=True)
            if 200 <= status < 300:
                return CheckResult(True)
            return CheckResult(False, f"HTTP probe failed with statuscode: {status}")
        raise AssertionError("the last request returns")

    async def fetch(self, action: Object, target: ProbeTarget) -> None:
        """Make the request of a lifecycle hook, whatever it answers.

        Raises
        ------
        aiohttp.ClientError, OSError, ValueError
            It could not be made.
        """
        port = resolve_port(action["port"], target.spec)
        url, headers = request(action, target, port, f"kube-lifecycle/{self.version}")
        async with self._client.get(url, headers=headers, allow_redirects=False) as answer:
            await answer.content.read(_OUTPUT_BYTES)


def request(
    action: Object, target: ProbeTarget, port: int, user_agent: str
) -> tuple[str, dict[str, str]]:
    """Return URL and headers of an `httpGet` action."""
    host = action.get("host") or target.address
    path = action.get("path") or "/"
    if not path.startswith("/"):
        path = f"/{path}"
    url = f"{action.get('scheme', 'HTTP').lower()}://{host}:{port}{path}"
    headers = {
        header["name"]: header.get("value", "") for header in action.get("httpHeaders") or ()
    }
    known = {name.lower() for name in headers}
    if "user-agent" not in known:
        headers["User-Agent"] = user_agent
    if "accept" not in known:
        headers["Accept"] = "*/*"
    if "host" not in known:
        headers["Host"] = f"{action.get('host') or target.shown(target.address)}:{port}"
    return url, headers


def resolve_port(port: int | str, container: Object) -> int:
    """Return the number of a port given by number or by name.

    Raises
    ------
    ValueError
        The container has no port of that name, or it is not between 1 and 65535.
    """
    if isinstance(port, int) or port.isdigit():
        number = int(port)
    else:
        named = [entry for entry in container.get("ports") or () if entry.get("name") == port]
        if not named:
            raise ValueError(f'port "{port}" not found')
        number = named[0]["containerPort"]
    if not 0 < number < 65536:
        raise ValueError(f"invalid port number: {number}")
    return number


def _shown(url: str, action: Object, target: ProbeTarget) -> str:
    return (
        url if action.get("host") else url.replace(target.address, target.shown(target.address), 1)
    )


def _reached(target: ProbeTarget) -> dict[str, str]:
    return {target.shown(target.address): target.address}


def _reason(error: OSError) -> str:
    """Return the system's own words: asyncio puts longer ones into its errors."""
    return os.strerror(error.errno).lower() if error.errno else str(error)


async def check_exec(container: Container, argv: list[str], timeout_s: float | None) -> CheckResult:
    """Run a command in a container: exit code 0 passes; the output is what it wrote.

    Parameters
    ----------
    container : Container
        Where.
    argv : list of str
        The command.
    timeout_s : float or None
        After this it is killed and has failed.
    """
    try:
        process = await container.exec(argv)
    except ContainerStartError as error:
        return CheckResult(None, exec_failure(error))
    try:
        async with asyncio.timeout(timeout_s):
            streams = [process.stdout, process.stderr] if process.stderr else [process.stdout]
            parts = await asyncio.gather(*(_read(stream) for stream in streams))
            code = await process.wait()
    except TimeoutError:
        process.kill()
        words = f'command timed out: "{" ".join(argv)}" timed out after {timeout_s:g}s'
        return CheckResult(False, words)
    except asyncio.CancelledError:
        process.kill()
        raise
    output = b"".join(parts)[:_OUTPUT_BYTES].decode(errors="replace")
    return CheckResult(code == 0, output)


async def _read(stream: asyncio.StreamReader) -> bytes:
    """Read a stream to its end, keeping only its beginning."""
    kept = b""
    while data := await stream.read(65536):
        if len(kept) < _OUTPUT_BYTES:
            kept += data
    return kept
