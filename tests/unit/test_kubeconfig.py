"""Kubeconfigs as client-go reads them: identities, plugins, proxies, several files; against servers on loopback.

`proxies_by_go.json` holds server, proxy, NO_PROXY and the proxy that `golang.org/x/net/http/httpproxy` v0.57.0 takes
("" for the direct way), written by a Go program of `(&httpproxy.Config{…}).ProxyFunc()`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded_kubernetes.processes import run
from k8s_helpers._errors import ApiRefusedError, ClusterUnreachableError, UsageError
from k8s_helpers.kube import kubeconfig as _kubeconfig
from k8s_helpers.kube import proxies as _proxies
from k8s_helpers.kube.api import ApiSession
from k8s_helpers.kube.discovery import Kind
from k8s_helpers.providers.existing import ExistingProvider


class Server:
    """An HTTP server (or a proxy of such) that writes down each request line and its headers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Message]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, self.headers))
                body = b'{"gitVersion": "v1.37.0"}'
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def authorizations(self) -> list[str | None]:
        return [headers.get("Authorization") for _, headers in self.seen]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def proxy() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def write(
    folder: Path, server: str, user: dict[str, Any], name: str = "config", **cluster: Any
) -> Path:
    path = folder / name
    plain = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "a", "user": user}],
    }
    path.write_text(yaml.safe_dump(plain))
    return path


def ask(path: Path) -> None:
    session = ApiSession(path)
    try:
        session.request("GET", "/version")
    finally:
        session.close()


# --- who one is


def test_a_token_file_is_stripped_and_read_again(tmp_path: Path, server: Server) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    session = ApiSession(write(tmp_path, server.url, {"tokenFile": "token", "token": "old"}))
    session.request("GET", "/version")
    token.write_text("  second\r\n")
    session.request("GET", "/version")
    token.unlink()
    session.request("GET", "/version")
    session.close()
    assert server.authorizations == ["Bearer first", "Bearer second", "Bearer second"]


def test_a_token_behind_a_symlink_is_found_again_once_the_link_leads_elsewhere(
    tmp_path: Path,
) -> None:
    # As the kubelet renews a pod's token: a new folder, the symlink turned, the old folder gone.
    old = tmp_path / "..old"
    old.mkdir()
    (old / "token").write_text("first")
    (tmp_path / "..data").symlink_to(old)
    (tmp_path / "token").symlink_to("..data/token")
    source = tmp_path / "c"
    source.write_text(yaml.safe_dump({**section("red", "https://1"), "current-context": "red"}))
    copy = _kubeconfig.minimal(_kubeconfig.merged([source]), source)
    assert copy["users"][0]["user"]["tokenFile"] == str(tmp_path / "token")


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_token_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    with pytest.raises(ClusterUnreachableError, match=r"tokenFile.*est vide"):
        _kubeconfig.load(write(tmp_path, "http://127.0.0.1:1", {"tokenFile": "token"}))


def test_a_token_that_yaml_takes_for_a_number_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachableError, match="guillemets"):
        _kubeconfig.load(write(tmp_path, "http://127.0.0.1:1", {"token": 1000}))


def test_a_name_and_a_password_are_sent(tmp_path: Path, server: Server) -> None:
    ask(write(tmp_path, server.url, {"username": "zoé", "password": "x:y"}))
    assert server.authorizations == ["Basic " + base64.b64encode("zoé:x:y".encode()).decode()]


# --- exec plugins


def plugin(folder: Path, script: str, **more: Any) -> dict[str, Any]:
    file = folder / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    config = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./plugin",
        "interactiveMode": "IfAvailable",
        **more,
    }
    return {"exec": config}


def answer(status: str, version: str = "v1") -> str:
    head = f'"apiVersion": "client.authentication.k8s.io/{version}", "kind": "ExecCredential"'
    return f"""cat <<'END'\n{{{head}, "status": {status}}}\nEND"""


def test_a_plugin_gives_the_token_and_is_asked_again_when_it_expires(
    tmp_path: Path, server: Server
) -> None:
    status = '{"token": "t\'$(wc -l < calls)\'", "expirationTimestamp": "2001-01-02T03:04:05Z"}'
    head = '"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"'
    script = f"cd {tmp_path}; echo >> calls; echo '{{{head}, \"status\": {status}}}'"
    session = ApiSession(write(tmp_path, server.url, plugin(tmp_path, script)))
    session.request("GET", "/version")
    session.request("GET", "/version")
    session.close()
    assert server.authorizations == ["Bearer t2", "Bearer t3"]


def test_a_plugin_is_asked_once_while_its_answer_lasts_and_again_after_a_401(
    tmp_path: Path, server: Server
) -> None:
    script = f"echo >> {tmp_path}/calls; " + answer('{"token": "t"}')
    session = ApiSession(write(tmp_path, server.url, plugin(tmp_path, script)))
    for _ in range(3):
        session.request("GET", "/version")
    assert (tmp_path / "calls").read_text().count("\n") == 1
    server.status = 401
    with pytest.raises(ApiRefusedError):
        session.request("GET", "/version")
    server.status = 200
    session.request("GET", "/version")
    session.close()
    assert (tmp_path / "calls").read_text().count("\n") == 2


def test_a_plugin_gets_arguments_variables_and_the_cluster(tmp_path: Path, server: Server) -> None:
    script = f'echo "$1 $NAME $KUBERNETES_EXEC_INFO" > {tmp_path}/got; ' + answer('{"token": "t"}')
    user = plugin(
        tmp_path,
        script,
        args=["one"],
        env=[{"name": "NAME", "value": "two"}],
        provideClusterInfo=True,
    )
    ca = tmp_path / "ca.crt"
    ca.write_text("x")
    path = write(tmp_path, server.url, user)
    plain = yaml.safe_load(path.read_text())
    plain["clusters"][0]["cluster"]["extensions"] = [
        {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}
    ]
    path.write_text(yaml.safe_dump(plain))
    ask(path)
    first, second, info = (tmp_path / "got").read_text().split(" ", 2)
    assert (first, second) == ("one", "two")
    assert json.loads(info) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {"server": server.url, "config": {"audience": "a"}},
        },
    }


def test_a_token_goes_before_a_plugin(tmp_path: Path, server: Server) -> None:
    ask(write(tmp_path, server.url, {"token": "t", **plugin(tmp_path, "exit 1")}))
    assert server.authorizations == ["Bearer t"]


def failure(path: Path) -> ClusterUnreachableError:
    with pytest.raises(ClusterUnreachableError) as caught:
        ask(path)
    return caught.value


def test_a_missing_plugin_is_named_with_what_the_kubeconfig_says_of_it(
    tmp_path: Path, server: Server
) -> None:
    user = plugin(
        tmp_path, "", command="no-such-plugin", installHint="Voir https://exemple.fr/plugin"
    )
    error = failure(write(tmp_path, server.url, user))
    assert "no-such-plugin" in error.tried
    assert "introuvable" in error.found
    assert "https://exemple.fr/plugin" in error.advice
    assert server.seen == []


def test_a_failing_plugin_is_named_with_what_it_said(tmp_path: Path, server: Server) -> None:
    error = failure(
        write(tmp_path, server.url, plugin(tmp_path, "echo 'session expirée' >&2; exit 3"))
    )
    assert "plugin" in error.tried
    assert "code 3" in error.found
    assert "session expirée" in error.found
    assert server.seen == []


@pytest.mark.parametrize(
    ("script", "more", "words"),
    [
        ("echo bonjour", {}, "pas un ExecCredential"),
        (answer('{"token": "t"}', "v1beta1"), {}, "répond en client.authentication.k8s.io/v1beta1"),
        (answer("{}"), {}, "ni jeton ni certificat"),
        (answer('{"clientCertificateData": "x"}'), {}, "certificat sans clé"),
        ("", {"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "v1alpha1"),
        ("", {"interactiveMode": None}, "interactiveMode"),
        ("", {"interactiveMode": "Always"}, "terminal"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_explained(
    tmp_path: Path, server: Server, script: str, more: dict[str, Any], words: str
) -> None:
    error = failure(write(tmp_path, server.url, plugin(tmp_path, script, **more)))
    assert words in error.found
    assert server.seen == []


def test_the_older_version_of_a_plugin_needs_no_interactive_mode(
    tmp_path: Path, server: Server
) -> None:
    user = plugin(tmp_path, answer('{"token": "t"}', "v1beta1"))
    user["exec"]["apiVersion"] = "client.authentication.k8s.io/v1beta1"
    del user["exec"]["interactiveMode"]
    ask(write(tmp_path, server.url, user))
    assert server.authorizations == ["Bearer t"]


# --- proxies


@pytest.mark.parametrize(
    ("server", "proxy", "no_proxy", "expected"),
    json.loads(Path(__file__).with_name("proxies_by_go.json").read_text()),
)
def test_a_proxy_is_chosen_as_go_chooses(
    server: str, proxy: str, no_proxy: str, expected: str
) -> None:
    environment = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": no_proxy}
    assert (_proxies.of_server(server, environment) or "") == expected
    lower = {name.lower(): value for name, value in environment.items()}
    assert (_proxies.of_server(server, lower) or "") == expected
    upper = {**dict.fromkeys(lower, "http://wrong:1"), **environment}
    if all(environment.values()):
        assert (_proxies.of_server(server, upper) or "") == expected


def test_the_kubeconfigs_proxy_goes_before_no_proxy(
    tmp_path: Path, server: Server, proxy: Server, environment: os._Environ[str]
) -> None:
    environment["NO_PROXY"] = "*"
    with_proxy = proxy.url.replace("http://", "http://zoe:x%40y@")
    ask(write(tmp_path, server.url, {"token": "t"}, **{"proxy-url": with_proxy}))
    ((path, headers),) = proxy.seen
    assert path == f"{server.url}/version"
    assert headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"zoe:x@y").decode()
    assert server.seen == []


def test_the_environments_proxy_is_used_but_not_for_a_network_that_is_excluded(
    tmp_path: Path, proxy: Server, environment: os._Environ[str]
) -> None:
    environment["HTTP_PROXY"] = proxy.url
    environment["NO_PROXY"] = environment["no_proxy"] = ""
    path = write(tmp_path, "http://10.1.2.3:8001", {"token": "t"})
    ask(path)
    assert [where for where, _ in proxy.seen] == ["http://10.1.2.3:8001/version"]
    environment["NO_PROXY"] = "192.168.0.0/16,10.0.0.0/8"
    assert _kubeconfig.load(path).proxy is None


def test_a_proxy_that_is_not_http_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "http://10.1.2.3:8001", {}, **{"proxy-url": "socks5://127.0.0.1:1"})
    with pytest.raises(ClusterUnreachableError, match="socks5"):
        _kubeconfig.load(path)


# --- addresses and TLS


def test_a_server_without_a_scheme_and_another_name_of_its_certificate(tmp_path: Path) -> None:
    plain = _kubeconfig.load(write(tmp_path, "10.1.2.3:8001", {}))
    assert (plain.server, plain.tls) == ("http://10.1.2.3:8001", None)
    options = {"insecure-skip-tls-verify": True, "tls-server-name": "k8s.exemple.fr"}
    secure = _kubeconfig.load(write(tmp_path, "10.1.2.3:6443/", {}, **options))
    assert (secure.server, secure.server_hostname) == ("https://10.1.2.3:6443", "k8s.exemple.fr")
    assert secure.tls is not None and not secure.tls.check_hostname


# --- several files


def section(name: str, server: str, **more: Any) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": server, **more}}],
        "users": [{"name": name, "user": {"tokenFile": "token"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


def test_kubeconfigs_are_merged_as_kubectl_merges_them(
    tmp_path: Path, environment: os._Environ[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "c").write_text(yaml.safe_dump(section("red", "https://1")))
    plain = section("red", "https://2", **{"proxy-url": "http://p:1"})
    blue = section("blue", "https://3")
    for part in ("clusters", "users", "contexts"):
        plain[part] += blue[part]
    (second / "c").write_text(yaml.safe_dump({**plain, "current-context": "blue"}))
    (tmp_path / "empty").write_text("")
    paths = [tmp_path / "none", first / "c", tmp_path / "empty", second / "c"]
    merged = _kubeconfig.merged(paths)
    assert merged["current-context"] == "blue"
    assert [one["cluster"] for one in merged["clusters"]] == [
        {"server": "https://1"},
        {"server": "https://3"},
    ]
    assert [one["user"]["tokenFile"] for one in merged["users"]] == [
        str(first / "token"),
        str(second / "token"),
    ]
    environment.pop("K8S_HELPERS_KUBECONFIG", None)
    environment["KUBECONFIG"] = os.pathsep.join(map(str, paths))
    assert ExistingProvider("fusion")._find_sources() == paths[1:]


def test_kubeconfigs_that_are_all_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachableError, match="none"):
        _kubeconfig.merged([tmp_path / "none", tmp_path / "nothing"])


# --- paths


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/x/configmaps/",
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/../nodes",
        "/api/v1/namespaces/x /pods",
        "",
        "version",
    ],
)
def test_a_path_with_an_empty_part_is_never_sent(tmp_path: Path, server: Server, path: str) -> None:
    session = ApiSession(write(tmp_path, server.url, {"token": "t"}))
    for send in (
        lambda: session.request("DELETE", path),
        lambda: session.text(path),
        lambda: session.open(path, {}, 1.0),
        lambda: next(session.watch(path)),
    ):
        with pytest.raises(UsageError, match="rien n’a été envoyé"):
            send()
    session.close()
    assert server.seen == []


CONFIG_MAP = Kind(
    "ConfigMap", "configmaps", "configmap", ("cm",), "", "v1", True, frozenset({"list"})
)


@pytest.mark.parametrize("name", ["", None, ".", "..", "a/b", "a b", "a\n", "a%2fb", "a?x=1", 7])
def test_a_name_that_is_none_makes_no_path(name: Any) -> None:
    with pytest.raises(UsageError, match="Désigner un objet de type ConfigMap"):
        CONFIG_MAP.require_name(name)
    with pytest.raises(UsageError, match="Désigner un espace de noms"):
        CONFIG_MAP.path(name)
    if name is not None:  # no name at all is the collection
        with pytest.raises(UsageError):
            CONFIG_MAP.path("x", name)
    assert CONFIG_MAP.path("x") == "/api/v1/namespaces/x/configmaps"
    assert CONFIG_MAP.path("x", "a.b:c", "status") == "/api/v1/namespaces/x/configmaps/a.b:c/status"


# --- the official client in the same process


def test_the_official_client_finds_the_cluster_that_kubectl_finds(tmp_path: Path) -> None:
    """In a process of its own: the client reads KUBECONFIG when it is imported."""
    path = write(tmp_path, "http://127.0.0.1:1", {"token": "t"})
    code = f"""if True:
        import os
        os.environ.pop("KUBECONFIG", None)
        os.environ["HOME"] = {str(tmp_path / "home")!r}
        import kubernetes.config
        from k8s_helpers import cluster
        cluster._tell_official_client({str(path)!r})
        kubernetes.config.load_kube_config()
        print(kubernetes.client.Configuration.get_default_copy().host)
        print(kubernetes.config.list_kube_config_contexts()[1]["name"])
        print(kubernetes.config.KUBE_CONFIG_DEFAULT_LOCATION)
    """
    done = run([sys.executable, "-c", code], timeout_s=60)
    assert done.stdout.split() == ["http://127.0.0.1:1", "a", str(path)]
