"""One check of a container's health: http, tcp, exec or grpc.

(source: `k8s.io/kubernetes/pkg/probe`)
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import aiohttp

from .cri import Container, ContainerStartError
from .expansion import expand, lookup_in
from .records import Object

_OUTPUT_BYTES = 10 * 1024
_REDIRECTS = 10
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes
    ----------
    ok : bool or None
        None where the check itself could not be made: it counts neither way.
    output : str
        The kubelet's words.
    warning : bool
        Passed, with something to say.
    """

    ok: bool | None
    output: str = ""
    warning: bool = False


@dataclass(frozen=True)
class Target:
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
    """

    def __init__(self, version: str) -> None:
        self.version = version
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True, ssl=context),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept-Encoding",),
        )

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    async def check(self, probe: Object, target: Target) -> Verdict:
        """Make the check of a probe once."""
        timeout_s = float(probe.get("timeoutSeconds", 1))
        if "exec" in probe:
            env = {one["name"]: one.get("value", "") for one in target.spec.get("env") or ()}
            argv = [expand(word, lookup_in(env)) for word in probe["exec"].get("command") or ()]
            return await check_exec(target.container, argv, timeout_s)
        if "httpGet" in probe:
            return await self.http(probe["httpGet"], target, timeout_s)
        if "tcpSocket" in probe:
            return await _check_tcp(probe["tcpSocket"], target, timeout_s)
        if "grpc" in probe:
            return await _check_grpc(probe["grpc"], target, timeout_s)
        return Verdict(None, "missing probe handler")

    async def http(self, action: Object, target: Target, timeout_s: float) -> Verdict:
        """Make an HTTP check: 200 to 399 pass; a redirect to another host passes with a warning."""
        try:
            port = resolve_port(action["port"], target.spec)
        except ValueError as error:
            return Verdict(None, str(error))
        url, headers = request(action, target, port, f"kube-probe/{self.version}")
        shown = _shown(url, action, target)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(url, headers)
        except TimeoutError:
            words = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return Verdict(False, f'Get "{shown}": {words}')
        except aiohttp.ClientConnectorError as error:
            where = f"{urlsplit(shown).hostname}:{port}"
            words = f"dial tcp {where}: connect: {_reason(error.os_error)}"
            return Verdict(False, f'Get "{shown}": {words}')
        except (aiohttp.ClientError, OSError, ValueError) as error:
            words = "EOF" if isinstance(error, aiohttp.ServerDisconnectedError) else str(error)
            return Verdict(False, f'Get "{shown}": {words}')

    async def _follow(self, url: str, headers: Mapping[str, str]) -> Verdict:
        host = urlsplit(url).hostname
        for _ in range(_REDIRECTS):
            async with self._client.get(url, headers=headers, allow_redirects=False) as answer:
                status = answer.status
                await answer.content.read(_OUTPUT_BYTES)
                to = answer.headers.get("Location", "")
            if status in _REDIRECT_STATUSES and to:
                following = urljoin(url, to)
                if urlsplit(following).hostname == host:
                    url = following
                    continue
                return Verdict(True, "Probe terminated redirects", warning=True)
            if 200 <= status < 400:
                return Verdict(True)
            return Verdict(False, f"HTTP probe failed with statuscode: {status}")
        return Verdict(False, f'Get "{url}": stopped after 10 redirects')

    async def fetch(self, action: Object, target: Target) -> None:
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
    action: Object, target: Target, port: int, user_agent: str
) -> tuple[str, dict[str, str]]:
    """Return URL and headers of an `httpGet` action."""
    host = action.get("host") or target.address
    path = action.get("path") or "/"
    if not path.startswith("/"):
        path = f"/{path}"
    url = f"{action.get('scheme', 'HTTP').lower()}://{host}:{port}{path}"
    headers = {one["name"]: one.get("value", "") for one in action.get("httpHeaders") or ()}
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
    number = 0
    if isinstance(port, int) or port.isdigit():
        number = int(port)
    else:
        for one in container.get("ports") or ():
            if one.get("name") == port:
                number = one["containerPort"]
    if not 0 < number < 65536:
        raise ValueError(f"invalid port number: {port}")
    return number


def _shown(url: str, action: Object, target: Target) -> str:
    return (
        url if action.get("host") else url.replace(target.address, target.shown(target.address), 1)
    )


def _reason(error: OSError) -> str:
    """Return the system's own words: asyncio puts longer ones into its errors."""
    return os.strerror(error.errno).lower() if error.errno else str(error)


async def _check_tcp(action: Object, target: Target, timeout_s: float) -> Verdict:
    try:
        port = resolve_port(action["port"], target.spec)
    except ValueError as error:
        return Verdict(None, str(error))
    host = action.get("host") or target.address
    where = f"{action.get('host') or target.shown(target.address)}:{port}"
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port)
        writer.transport.abort()
    except TimeoutError:
        return Verdict(False, f"dial tcp {where}: i/o timeout")
    except OSError as error:
        return Verdict(False, f"dial tcp {where}: connect: {_reason(error)}")
    return Verdict(True)


async def _check_grpc(action: Object, target: Target, timeout_s: float) -> Verdict:
    # Few pods have one, and its HTTP/2 library takes memory that the others need not pay.
    from . import grpc_health

    ok, output = await grpc_health.check(
        target.address, action["port"], action.get("service") or "", timeout_s
    )
    return Verdict(ok, output.replace(target.address, target.shown(target.address)))


async def check_exec(container: Container, argv: list[str], timeout_s: float | None) -> Verdict:
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
        return Verdict(None, str(error))
    try:
        async with asyncio.timeout(timeout_s):
            streams = [process.stdout, process.stderr] if process.stderr else [process.stdout]
            parts = await asyncio.gather(*(_read(stream) for stream in streams))
            code = await process.wait()
    except TimeoutError:
        process.kill()
        words = f'command timed out: "{" ".join(argv)}" timed out after {timeout_s:g}s'
        return Verdict(False, words)
    except asyncio.CancelledError:
        process.kill()
        raise
    output = b"".join(parts)[:_OUTPUT_BYTES].decode(errors="replace")
    return Verdict(code == 0, output)


async def _read(stream: asyncio.StreamReader) -> bytes:
    """Read a stream to its end, keeping only its beginning."""
    kept = b""
    while data := await stream.read(65536):
        if len(kept) < _OUTPUT_BYTES:
            kept += data
    return kept
