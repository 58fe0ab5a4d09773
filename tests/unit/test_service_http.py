"""The one HTTP way to a Service: who we are and whom we trust go with the address; nobody there is an answer too."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from certificates import Authority

from k8s_helpers._errors import WaitTimeoutError
from k8s_helpers.kube import http
from k8s_helpers.kube.http import ServiceAddress, get, post

TOKEN = "Bearer jeton-du-compte"
Serve = Callable[..., str]


class Handler(BaseHTTPRequestHandler):
    """Answers those who are known; `/drip` never ends, `/away` leads elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b".")
                time.sleep(0.05)
        elif self.path == "/away":
            self._answer(302, {"Location": "/"})
        elif self.path == "/cut":
            self._answer(200, {"Content-Length": "50"}, b"half")
            self.close_connection = True
        else:
            known = self.headers.get("Authorization") == TOKEN
            said = {"host": self.headers["Host"], "path": self.path}
            self._answer(200 if known else 401, {}, json.dumps(said).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(200, {"X-Kind": self.headers.get("Content-Type", "none")}, body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        defaults = {"Content-Length": str(len(body)), "X-App-Version": "v1", "X-Pod-Name": "a"}
        for name, value in {**defaults, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Quiet] = []

    def start(context: ssl.SSLContext | None = None) -> str:
        server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        return f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _server_side(authority: Authority, *, clients: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.signed("serveur"))
    if clients:
        context.load_verify_locations(authority.file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_token_and_authority_go_with_the_address(tmp_path: Path, serve: Serve) -> None:
    authority = Authority(tmp_path)
    url = serve(_server_side(authority))
    address = ServiceAddress(
        url,
        "api-proxy",
        {"Authorization": TOKEN},
        ca_file=authority.file,
        server_hostname="serveur",
    )
    assert get(address, "/api/info").json()["path"] == "/api/info"
    assert get(address.at("/cpu?ms=2"), "").json()["path"] == "/cpu?ms=2"
    assert get(ServiceAddress(url, ca_file=authority.file)).status == 401


def test_a_server_of_another_authority_is_nobody(tmp_path: Path, serve: Serve) -> None:
    url = serve(_server_side(Authority(tmp_path)))
    other = Authority(tmp_path, "autre")
    answer = get(ServiceAddress(url, "api-proxy", {"Authorization": TOKEN}, ca_file=other.file))
    assert answer.status == 0 and "certificate" in answer.body.lower()
    unchecked = ServiceAddress(url, "api-proxy", {"Authorization": TOKEN}, verify=False)
    assert get(unchecked).ok


def test_a_client_certificate_is_shown(tmp_path: Path, serve: Serve) -> None:
    authority = Authority(tmp_path)
    url = serve(_server_side(authority, clients=True))
    assert get(ServiceAddress(url, ca_file=authority.file)).status == 0
    certificate, key = authority.signed("eleve")
    address = ServiceAddress(url, ca_file=authority.file, cert_file=certificate, key_file=key)
    assert get(address).status == 401  # known to TLS, without a token


def test_the_addresses_proxy_is_used_and_no_other(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    url = serve()
    assert get(ServiceAddress(url, headers={"Authorization": TOKEN})).ok
    by_proxy = ServiceAddress(
        "http://service.example", headers={"Authorization": TOKEN}, proxy=f"{url}/"
    )
    assert get(by_proxy, "/x").json() == {
        "host": "service.example",
        "path": "http://service.example/x",
    }


def test_nobody_there_is_an_answer(serve: Serve) -> None:
    nobody = get("http://127.0.0.1:1")
    assert nobody.status == 0 and not nobody.ok and "refused" in nobody.body
    with pytest.raises(WaitTimeoutError) as caught:
        nobody.require()
    assert "http://127.0.0.1:1/" in caught.value.tried
    with pytest.raises(WaitTimeoutError, match="HTTP 401"):
        get(serve()).require()


def test_an_answer_has_an_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    url = serve()
    began_s = time.monotonic()
    assert get(url, "/drip", timeout_s=0.3).status == 0
    assert time.monotonic() - began_s < 2
    assert get(url, "/cut").status == 0
    monkeypatch.setattr(http, "LONGEST_BODY", 10)
    assert get(url).status == 0


def test_a_redirection_is_what_it_is(serve: Serve) -> None:
    answer = get(serve(), "/away")
    assert (answer.status, answer.headers["location"], answer.pod) == (302, "/", "a")


def test_a_host_may_be_named(serve: Serve) -> None:
    assert get(serve(), headers={"Host": "cours.example.com"}).json()["host"] == "cours.example.com"


def test_an_object_is_posted_as_json(serve: Serve) -> None:
    url = serve()
    answer = post(url, "/notes", {"text": "été"})
    assert (answer.json(), answer.headers["x-kind"]) == ({"text": "été"}, "application/json")
    assert post(url).headers["x-kind"] == "none"
