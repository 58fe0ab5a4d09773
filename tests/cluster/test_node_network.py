"""Services, names inside pods, Ingress and volumes on the embedded cluster."""

import json
import os
import shutil
import socket

import pytest
from gateways import prove_gateway, prove_tls, two_versions
from live import (
    Kubectl,
    container,
    eventually,
    free_node_port,
    http_get,
    pod,
    refused,
    service,
    web_deployment,
)

PROGRAMS = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"

ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=10).read().decode().split()[0])"

TRY = """
import json, socket, sys
def tried(where):
    host, port = where.split(":")
    try:
        with socket.create_connection((host, int(port)), 1.5) as connection:
            connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            data = b""
            while piece := connection.recv(4096):
                data += piece
        return data.split(b"\\r\\n\\r\\n")[-1].decode().split()[0]
    except OSError as error:
        return type(error).__name__
print(json.dumps([tried(where) for where in sys.argv[1:]]))
"""

LOOK_UP = """
import socket, sys
try:
    print(*sorted({one[4][0] for one in socket.getaddrinfo(sys.argv[1], 80, socket.AF_INET, socket.SOCK_STREAM)}))
except OSError:
    print()
"""


@pytest.fixture
def kubectl(cluster, namespace):
    return Kubectl(cluster.kubeconfig, namespace.name)


@pytest.fixture
def web(namespace):
    """Two web servers behind the Service `web`; returns its spec."""
    namespace.apply(web_deployment())
    namespace.apply(service("web", type="NodePort"))
    namespace.wait_rollout("web", timeout_s=60)
    return namespace.get("service", "web")["spec"]


def answers(address, port, times=30):
    return {http_get(address, port)[1].split()[0] for _ in range(times)}


def client(namespace, name="client", **labels):
    """Start a pod that asks for something."""
    asking = pod(name, container("c", "sleep", "3600"))
    asking["metadata"]["labels"].update(labels)
    namespace.apply(asking)
    namespace.wait("pod", name, "Ready", timeout_s=60)


def tried(kubectl, *places, by="client"):
    """Return who answers a pod at each place, or the error that it gets."""
    return json.loads(kubectl.out("exec", by, "--", "python3", "-c", TRY, *places))


def test_node_port_and_cluster_ip_balance_over_all_pods(web, namespace, kubectl):
    pods = {one["metadata"]["name"] for one in namespace.list("pods", "app=web")}
    assert len(pods) == 2
    eventually(lambda: answers("127.0.0.1", web["ports"][0]["nodePort"]) == pods)
    client(namespace)
    node = namespace.get("pod", "client")["status"]["hostIP"]
    for place in (f"{web['clusterIP']}:8080", f"{node}:{web['ports'][0]['nodePort']}"):
        eventually(lambda place=place: set(tried(kubectl, *[place] * 20)) == pods)


def test_refused_without_ready_pods_and_served_again(web, namespace, kubectl):
    node_port = web["ports"][0]["nodePort"]
    client(namespace)
    inside = f"{web['clusterIP']}:8080"
    eventually(lambda: not refused("127.0.0.1", node_port))
    namespace.scale("deployment", "web", 0)
    eventually(
        lambda: (
            refused("127.0.0.1", node_port) and tried(kubectl, inside) == ["ConnectionRefusedError"]
        )
    )
    assert all(refused("127.0.0.1", node_port) for _ in range(20))
    assert set(tried(kubectl, *[inside] * 20)) == {"ConnectionRefusedError"}
    namespace.scale("deployment", "web", 1)
    namespace.wait_rollout("web", timeout_s=60)
    eventually(lambda: not refused("127.0.0.1", node_port))
    assert http_get("127.0.0.1", node_port)[0] == 200


def test_deleted_service_gives_its_ports_back(web, namespace):
    node_port = web["ports"][0]["nodePort"]
    eventually(lambda: not refused("127.0.0.1", node_port))
    namespace.delete_object("service", "web")
    eventually(lambda: refused("127.0.0.1", node_port))
    socket.create_server(("127.0.0.1", node_port)).close()


def test_taken_node_port_is_told_by_an_event_and_opened_later(namespace, kubectl):
    port = free_node_port(kubectl)
    namespace.apply(web_deployment(replicas=1))
    namespace.wait_rollout("web", timeout_s=60)
    with socket.create_server(("127.0.0.1", port)):
        ports = [{"port": 8080, "targetPort": "http", "nodePort": port}]
        namespace.apply(service("taken", type="NodePort", ports=ports))

        def told():
            return [
                event["message"]
                for event in namespace.events()
                if event["reason"] == "PortUnavailable"
            ]

        message = eventually(told)[0]
        assert f"NodePort 127.0.0.1:{port}" in message
        assert "Address already in use" in message
        # The Service answers nevertheless, at an address that no other cluster has, and who asks for its URL is told.
        own = kubectl.config.loopback_address(kubectl.config.node_names[0])
        assert f"{own}:{port}" in message
        with pytest.warns(UserWarning, match=f"Le port {port} de 127.0.0.1 est déjà pris"):
            url = namespace.service_url("taken").url
        assert url == f"http://{own}:{port}"
        assert http_get(own, port)[0] == 200
    eventually(lambda: not refused("127.0.0.1", port), timeout_s=15)
    assert http_get("127.0.0.1", port)[0] == 200
    eventually(lambda: namespace.service_url("taken").url == f"http://127.0.0.1:{port}")


def test_names_inside_a_pod(web, namespace, kubectl):
    namespace.apply(service("web-pods", clusterIP="None"))
    namespace.apply(pod("client", container("c", "sleep", "3600")))
    namespace.wait("pod", "client", "Ready", timeout_s=60)
    long = f"web.{namespace.name}.svc.cluster.local"
    for url in (
        "http://web/",
        "http://web:8080/",
        f"http://{long}:8080/x",
        f"http://{web['clusterIP']}/",
    ):
        asked = kubectl.run("exec", "client", "--", "python3", "-c", ASK, url)
        assert asked.stdout.decode().startswith("web-"), (url, asked.stderr.decode())
    unknown = kubectl.run("exec", "client", "--", "python3", "-c", ASK, "http://nobody-here/")
    assert unknown.returncode != 0

    def addresses(name):
        return kubectl.out("exec", "client", "--", "python3", "-c", LOOK_UP, name).split()

    assert addresses("web") == addresses(long) == [web["clusterIP"]]
    assert len(addresses("web-pods")) == 2
    namespace.apply(service("later"))
    eventually(lambda: addresses("later"))
    namespace.delete_object("service", "later")
    eventually(lambda: not addresses("later"))


def test_a_service_refuses_until_somebody_listens_at_its_endpoints(namespace, kubectl):
    if kubectl.config.network == "host":
        pytest.skip("the Service proxy cannot see a closed port of this machine's own network")
    wait = "until [ -e /tmp/go ]; do sleep 0.1; done; exec python3 -m http.server 8080"
    late = pod("late", container("c", "sh", "-c", wait))
    namespace.apply(late)
    ports = [{"port": 80, "targetPort": 8080}]
    namespace.apply(service("late", "late", ports=ports))
    client(namespace)
    namespace.wait("pod", "late", "Ready", timeout_s=60)
    eventually(lambda: namespace.get("endpoints", "late").get("subsets"))
    assert set(tried(kubectl, *["late:80"] * 10)) == {"ConnectionRefusedError"}
    kubectl.out("exec", "late", "--", "touch", "/tmp/go")
    eventually(lambda: tried(kubectl, "late:80") != ["ConnectionRefusedError"])
    assert not [said for said in tried(kubectl, *["late:80"] * 10) if said.endswith("Error")]


def test_a_network_policy_keeps_strangers_out_or_says_why_it_cannot(web, namespace, kubectl):
    friends = {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}]}
    namespace.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "friends"},
            "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [friends]},
        }
    )
    client(namespace, "friend", role="friend")
    client(namespace, "stranger")
    server = namespace.list("pods", "app=web")[0]["status"]["podIP"]
    ways = (f"{server}:8000", "web:8080")
    reached = [said for said in tried(kubectl, *ways, by="friend") if said.startswith("web-")]
    assert len(reached) == len(ways)
    if kubectl.config.network == "host" or shutil.which("nft", path=PROGRAMS) is None:
        events = eventually(
            lambda: [one for one in namespace.events() if one["reason"] == "NotEnforced"]
        )
        assert "reste sans effet" in events[0]["message"]
        return
    eventually(lambda: tried(kubectl, *ways, by="stranger") == ["TimeoutError"] * len(ways))
    # The node's own probes pass, and so do its NodePorts.
    assert http_get("127.0.0.1", web["ports"][0]["nodePort"])[0] == 200
    namespace.delete_object("networkpolicy", "friends")
    eventually(
        lambda: all(said.startswith("web-") for said in tried(kubectl, *ways, by="stranger"))
    )


def test_ingress_by_host_and_path(web, namespace, kubectl):
    def path(where, kind, name):
        backend = {"service": {"name": name, "port": {"number": 80}}}
        return {"path": where, "pathType": kind, "backend": backend}

    host = f"{namespace.name}.example"
    paths = [
        path("/shop", "Prefix", "web"),
        path("/exact", "Exact", "web"),
        path("/none", "Prefix", "nobody"),
    ]
    namespace.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "site"},
            "spec": {"rules": [{"host": host, "http": {"paths": paths}}]},
        }
    )
    port = kubectl.config.ingress_port
    shown = namespace.wait(
        "ingress", "site", lambda one: one["status"]["loadBalancer"].get("ingress"), timeout_s=20
    )
    assert shown["status"]["loadBalancer"]["ingress"][0]["ip"] == "127.0.0.1"
    assert shown["spec"]["ingressClassName"] == "embedded"
    _, body = eventually(
        lambda: (got := http_get("127.0.0.1", port, "/shop/a", host))[0] == 200 and got
    )
    assert body.split()[1:] == ["/shop/a", host]
    assert http_get("127.0.0.1", port, "/exact", host)[0] == 200
    assert http_get("127.0.0.1", port, "/exact/not", host)[0] == 404
    assert http_get("127.0.0.1", port, "/shop", "other.example")[0] == 404
    assert http_get("127.0.0.1", port, "/none", host)[0] == 503


def test_an_ingress_with_tls_and_a_gateway(cluster, namespace, tmp_path):
    services = two_versions(cluster, namespace)
    prove_tls(cluster, namespace, services[0], tmp_path)
    prove_gateway(cluster, namespace, services)


def test_volume_lives_as_long_as_its_claim(namespace, kubectl):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    namespace.apply(claim)
    mounts = [{"name": "data", "mountPath": "/data"}]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]

    def start(name):
        namespace.apply(
            pod(name, container("c", "sleep", "3600", volumeMounts=mounts), volumes=volumes)
        )
        namespace.wait("pod", name, "Ready", timeout_s=60)

    assert namespace.get("pvc", "data")["status"]["phase"] == "Pending"
    start("writer")
    kubectl.out("exec", "writer", "--", "sh", "-c", "echo kept > /data/note")
    namespace.delete_object("pod", "writer", grace_s=0)
    start("reader")
    assert kubectl.out("exec", "reader", "--", "cat", "/data/note") == "kept\n"
    bound = namespace.get("pvc", "data")
    assert bound["spec"]["storageClassName"] == "standard"
    volume = bound["spec"]["volumeName"]
    assert any(event["reason"] == "ProvisioningSucceeded" for event in namespace.events())
    folder = kubectl.config.path / "storage" / f"{volume}_{namespace.name}_data"
    assert (folder / "note").read_text() == "kept\n"
    namespace.delete_object("pod", "reader", grace_s=0)
    namespace.delete_object("pvc", "data")
    eventually(lambda: kubectl.run("get", "pv", volume).returncode != 0)
    assert not folder.exists()
