"""kubectl logs, exec, attach, cp, port-forward and top against the node."""

import contextlib
import fcntl
import hashlib
import os
import pty
import socket
import ssl
import struct
import subprocess
import termios
import urllib.request

import pytest
from live import Kubectl, container, eventually, http_get, pod, web_deployment

LINES = """
import sys, time
for number in range(5):
    print("line", number, flush=True)
print("trouble", file=sys.stderr, flush=True)
for line in sys.stdin:
    print("heard", line.strip(), flush=True)
time.sleep(3600)
"""


@pytest.fixture
def kubectl(cluster, namespace):
    return Kubectl(cluster.kubeconfig, namespace.name)


@pytest.fixture
def talker(namespace):
    """A pod that writes five lines, a complaint, and what it hears."""
    namespace.apply(pod("talker", container("c", "python3", "-c", LINES, stdin=True)))
    namespace.wait("pod", "talker", "Ready", timeout_s=60)
    return "talker"


@pytest.fixture
def web(namespace):
    """The name of a pod that serves HTTP on port 8000."""
    namespace.apply(web_deployment(replicas=1))
    namespace.wait_rollout("web", timeout_s=60)
    return namespace.list("pods", "app=web")[0]["metadata"]["name"]


def test_logs(kubectl, talker):
    everything = "".join(f"line {number}\n" for number in range(5)) + "trouble\n"
    eventually(lambda: kubectl.out("logs", talker) == everything)
    assert kubectl.out("logs", talker, "--tail=2") == "line 4\ntrouble\n"
    assert kubectl.out("logs", talker, "--limit-bytes=6") == "line 0"
    stamp, text = kubectl.out("logs", talker, "--timestamps", "--tail=1").split(maxsplit=1)
    assert stamp.startswith("20") and stamp.endswith("Z") and text == "trouble\n"
    assert kubectl.out("logs", talker, "--since=1h") == everything
    assert kubectl.out("logs", talker, "--since-time=2999-01-01T00:00:00Z") == ""
    done = kubectl.run("logs", talker, "--previous")
    assert done.returncode == 1
    assert b"previous terminated container" in done.stderr


def test_logs_of_a_container_that_waits_say_why(kubectl, namespace):
    namespace.apply(pod("waiting", {"name": "c", "image": "no-such-program:v9"}))

    def told():
        done = kubectl.run("logs", "waiting")
        return b"is waiting to start" in done.stderr and done.returncode == 1

    eventually(told)


def test_logs_follow_and_end_with_the_container(kubectl, namespace):
    counting = "for n in 0 1 2 3 4; do echo count $n; sleep 0.3; done"
    namespace.apply(pod("counter", container("c", "sh", "-c", counting), restartPolicy="Never"))
    eventually(lambda: kubectl.run("logs", "counter").returncode == 0)
    followed = kubectl.run("logs", "--follow", "counter", timeout_s=20)
    assert followed.stdout.decode().splitlines() == [f"count {number}" for number in range(5)]


def test_exec_gives_output_and_exit_code(kubectl, talker):
    done = kubectl.run("exec", talker, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, b"out\n")
    assert done.stderr.startswith(b"err\n")
    assert kubectl.run("exec", talker, "--", "true").returncode == 0
    missing = kubectl.run("exec", talker, "--", "no-such-program")
    assert missing.returncode != 0
    assert b"no-such-program" in missing.stderr


def test_exec_takes_standard_input_to_its_end(kubectl, talker):
    data = os.urandom(3_000_000)
    done = kubectl.run("exec", "-i", talker, "--", "sha256sum", stdin=data)
    assert done.stdout.decode().split()[0] == hashlib.sha256(data).hexdigest()


def test_exec_with_a_terminal(kubectl, talker):
    main, terminal = pty.openpty()
    argv = [
        *kubectl._argv,
        "exec",
        "-it",
        talker,
        "--",
        "sh",
        "-c",
        "test -t 0 && stty size && exit 5",
    ]
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    with subprocess.Popen(
        argv, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        output, _ = process.communicate(timeout=30)
    os.close(main)
    os.close(terminal)
    assert process.returncode == 5, output
    assert len(output.split()) >= 2


def test_attach_hears_and_is_heard(kubectl, talker):
    with kubectl.going_on("attach", "-i", talker) as process:
        process.stdin.write(b"bonjour\n")
        process.stdin.flush()
        eventually(lambda: "heard bonjour\n" in kubectl.out("logs", talker))
        line = process.stdout.readline()
        while b"heard" not in line:
            assert line, "attach ended"
            line = process.stdout.readline()
        assert line == b"heard bonjour\n"
    assert kubectl.out("get", "pod", talker, "-o", "jsonpath={.status.phase}") == "Running"


def test_cp_both_ways(kubectl, talker, tmp_path):
    data = os.urandom(2_000_000)
    (tmp_path / "there").write_bytes(data)
    kubectl.out("cp", str(tmp_path / "there"), f"{talker}:/tmp/copied")
    kubectl.out("cp", f"{talker}:/tmp/copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


@pytest.mark.parametrize("websockets", ["true", "false"], ids=["websocket", "spdy"])
def test_port_forward(kubectl, web, websockets):
    env = {"KUBECTL_PORT_FORWARD_WEBSOCKETS": websockets}
    with kubectl.going_on("port-forward", web, ":8000", env=env) as process:
        said = process.stdout.readline().decode()
        assert said.startswith("Forwarding from 127.0.0.1:"), said
        port = int(said.split()[2].rpartition(":")[2])
        for number in range(5):
            assert http_get("127.0.0.1", port, f"/{number}") == (200, f"{web} /{number} -\n")
        several = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(4)]
        for connection in several:
            connection.sendall(b"GET /at-once HTTP/1.0\r\n\r\n")
        for connection in several:
            assert connection.recv(4096).startswith(b"HTTP/1.0 200")
            connection.close()


def test_port_forward_tells_a_port_where_nobody_listens(kubectl, web):
    with kubectl.going_on("port-forward", web, ":9999") as process:
        port = int(process.stdout.readline().decode().split()[2].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
        said = b""
        while b"error forwarding port 9999" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line


def test_only_the_api_server_gets_in(cluster, namespace):
    config = Kubectl(cluster.kubeconfig, namespace.name).config
    url = f"https://127.0.0.1:{config.kubelet_ports[0]}/pods"

    def ask(identity):
        context = ssl.create_default_context(cafile=str(config.pki / "ca.crt"))
        if identity:
            context.load_cert_chain(config.pki / f"{identity}.crt", config.pki / f"{identity}.key")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(url, timeout=10) as answer:
            return answer.status

    assert ask("apiserver-kubelet-client") == 200
    with pytest.raises(OSError):
        ask(None)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        ask(config.node_names[0])
    assert refusal.value.code == 403
    refusal.value.close()


def test_top_and_the_autoscaler_see_cpu(kubectl, namespace):
    burn = "while True: pass"
    deployment = web_deployment("burner", replicas=1)
    deployment["spec"]["template"]["spec"]["containers"] = [
        container(
            "c",
            "python3",
            "-c",
            burn,
            resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "400m"}},
        )
    ]
    namespace.apply(deployment)
    namespace.wait_rollout("burner", timeout_s=60)

    def used_millicores():
        done = kubectl.run("top", "pods", "-l", "app=burner", "--no-headers")
        return int(done.stdout.split()[1].removesuffix(b"m")) if done.stdout.strip() else 0

    eventually(lambda: used_millicores() > 100)
    assert kubectl.out("top", "pods", "-l", "app=nobody", "--no-headers") == ""
    assert kubectl.out("top", "nodes", "--no-headers").split()[1] != "0m"
    metrics = [
        {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50},
            },
        }
    ]
    namespace.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "burner"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "burner"},
                "maxReplicas": 2,
                "metrics": metrics,
            },
        }
    )
    namespace.wait(
        "hpa", "burner", lambda hpa: hpa.get("status", {}).get("desiredReplicas") == 2, timeout_s=60
    )
