"""Probes on the embedded cluster: four ways to ask, three things that the answer decides."""

import time
from datetime import timedelta

import pytest
from live import IMAGE, eventually, pod
from pod_states import condition, eventually_told, instant, sh, status_of

SERVER = """
import http.server, os, pathlib
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers["User-Agent"], self.headers["X-Who"], self.headers["Host"], flush=True)
        status = 200 if pathlib.Path("/work/healthy").exists() else 503
        self.send_response(302 if self.path == "/moved" else status)
        if self.path == "/moved":
            self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer((os.environ.get("BIND_ADDR", ""), 8000), Handler).serve_forever()
"""
GRPC = """
import os, sys
from concurrent import futures
sys.path[:0] = os.environ["LIBRARIES"].split(":")
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
server = grpc.server(futures.ThreadPoolExecutor(2))
servicer = health.HealthServicer()
servicer.set("shop", health_pb2.HealthCheckResponse.SERVING)
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
server.add_insecure_port(os.environ.get("BIND_ADDR", "0.0.0.0") + ":9000")
server.start()
server.wait_for_termination()
"""
FAST = {"periodSeconds": 1, "failureThreshold": 1}


def web(**probes):
    return {
        "name": "main",
        "image": IMAGE,
        "command": ["python3", "-c", SERVER],
        "ports": [{"name": "http", "containerPort": 8000}],
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
        **probes,
    }


def web_pod(name, **probes):
    return pod(name, web(**probes), volumes=[{"name": "work", "emptyDir": {}}])


def set_health(namespace, name, healthy):
    action = "touch" if healthy else "rm -f"
    assert namespace.exec(name, ["sh", "-c", f"{action} /work/healthy"]).returncode == 0


def service(name):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 8000}]},
    }


def ready_endpoints(namespace, name):
    return [
        endpoint
        for one in namespace.list("endpointslices", f"kubernetes.io/service-name={name}")
        for endpoint in one.get("endpoints") or ()
        if endpoint["conditions"]["ready"]
    ]


def test_readiness_decides_who_gets_traffic(namespace):
    action = {"port": "http", "path": "/ready", "httpHeaders": [{"name": "X-Who", "value": "me"}]}
    namespace.apply([web_pod("web", readinessProbe={"httpGet": action, **FAST}), service("web")])
    found = namespace.wait("pod", "web", lambda now: status_of(now, "main")["started"])
    assert not status_of(found, "main")["ready"]
    assert condition(found, "Ready")["reason"] == "ContainersNotReady"
    assert "main" in condition(found, "Ready")["message"]
    eventually_told(
        namespace,
        "web",
        "Unhealthy",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
    )
    set_health(namespace, "web", True)
    found = namespace.wait("pod", "web", "Ready")
    eventually(lambda: len(ready_endpoints(namespace, "web")) == 1)
    set_health(namespace, "web", False)
    found = namespace.wait("pod", "web", "Ready=False")
    eventually(lambda: not ready_endpoints(namespace, "web"))
    assert status_of(found, "main")["restartCount"] == 0
    asked = namespace.logs("web").splitlines()[-1].split()
    assert asked[0] == "/ready"
    assert asked[1].startswith("kube-probe/1.")
    assert asked[2:] == ["me", f"{found['status']['podIP']}:8000"]


def test_a_probe_words_a_refused_connection_as_the_kubelet_does(namespace):
    namespace.apply(
        pod(
            "none",
            sh("main", "exec sleep 1000", readinessProbe={"httpGet": {"port": 8123}, **FAST}),
            sh("other", "exec sleep 1000", readinessProbe={"tcpSocket": {"port": 8124}, **FAST}),
        )
    )
    found = namespace.wait("pod", "none", lambda now: status_of(now, "other")["started"])
    address = found["status"]["podIP"]
    refused = f"dial tcp {address}:8123: connect: connection refused"
    eventually_told(namespace, "none", "Unhealthy", f'Get "http://{address}:8123/": {refused}')
    refused = f"Readiness probe failed: dial tcp {address}:8124: connect: connection refused"
    eventually_told(namespace, "none", "Unhealthy", refused)


def test_a_redirect_elsewhere_passes_with_a_warning(namespace):
    probe = {"httpGet": {"port": 8000, "path": "/moved"}, **FAST, "failureThreshold": 30}
    namespace.apply(web_pod("moved", readinessProbe=probe))
    namespace.wait("pod", "moved", "Ready")
    eventually_told(namespace, "moved", "ProbeWarning", "Probe terminated redirects")


def test_liveness_restarts_a_container_and_says_so(namespace):
    script = "touch /tmp/alive; sleep 1; rm -f /tmp/alive; exec sleep 1000"
    probe = {"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    namespace.apply(pod("sick", sh("main", script, livenessProbe=probe)))
    namespace.wait("pod", "sick", lambda now: status_of(now, "main")["restartCount"] == 1)
    eventually_told(namespace, "sick", "Unhealthy", "Liveness probe failed: cat: ")
    eventually_told(
        namespace, "sick", "Killing", "Container main failed liveness probe, will be restarted"
    )
    found = namespace.wait("pod", "sick", lambda now: status_of(now, "main")["ready"])
    assert status_of(found, "main")["lastState"]["terminated"]["exitCode"] in (137, 143)


def test_the_liveness_probes_own_grace_period_counts(namespace):
    script = "trap '' TERM; touch /tmp/deaf; while :; do sleep 0.05; done"
    deaf = ["test", "!", "-e", "/tmp/deaf"]  # fails once SIGTERM is ignored
    probe = {"exec": {"command": deaf}, **FAST, "terminationGracePeriodSeconds": 1}
    namespace.apply(
        pod("deaf", sh("main", script, livenessProbe=probe), terminationGracePeriodSeconds=600)
    )
    found = namespace.wait(
        "pod", "deaf", lambda now: status_of(now, "main")["restartCount"] >= 1, timeout_s=60
    )
    assert status_of(found, "main")["lastState"]["terminated"]["exitCode"] == 137
    namespace.delete_object("pod", "deaf", grace_s=1)


def test_startup_holds_the_other_probes_back(namespace):
    script = "until test -e /tmp/go; do sleep 0.1; done; touch /tmp/up; exec sleep 1000"
    startup = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1}
    liveness = {"exec": {"command": ["test", "-e", "/tmp/up"]}, **FAST}
    main = sh(
        "main", script, startupProbe={**startup, "failureThreshold": 60}, livenessProbe=liveness
    )
    namespace.apply(pod("slow", main))
    found = namespace.wait("pod", "slow", lambda now: "running" in status_of(now, "main")["state"])
    assert not status_of(found, "main")["started"]
    time.sleep(2)  # two rounds of a liveness probe that would fail
    assert namespace.exec("slow", ["touch", "/tmp/go"]).returncode == 0
    found = namespace.wait("pod", "slow", "Ready")
    assert status_of(found, "main")["started"]
    assert status_of(found, "main")["restartCount"] == 0


def test_a_startup_probe_that_never_passes_restarts(namespace):
    startup = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    namespace.apply(pod("never", sh("main", "exec sleep 1000", startupProbe=startup)))
    namespace.wait("pod", "never", lambda now: status_of(now, "main")["restartCount"] == 1)
    eventually_told(
        namespace, "never", "Killing", "Container main failed startup probe, will be restarted"
    )


def test_an_exec_probe_that_is_too_slow_has_failed(namespace):
    probe = {"exec": {"command": ["sleep", "30"]}, **FAST, "timeoutSeconds": 1}
    namespace.apply(pod("late", sh("main", "exec sleep 1000", readinessProbe=probe)))
    eventually_told(
        namespace, "late", "Unhealthy", 'command timed out: "sleep 30" timed out after 1s'
    )


def test_a_tcp_probe_passes_where_somebody_listens(namespace):
    namespace.apply(
        web_pod("tcp", readinessProbe={"tcpSocket": {"port": "http"}, "periodSeconds": 1})
    )
    namespace.wait("pod", "tcp", "Ready")


def test_a_grpc_probe_asks_for_a_service(namespace):
    grpc_health = pytest.importorskip("grpc_health")
    libraries = str(next(iter(grpc_health.__path__)).rsplit("/", 1)[0])
    main = {
        "name": "main",
        "image": IMAGE,
        "command": ["python3", "-c", GRPC],
        "env": [{"name": "LIBRARIES", "value": "/libraries"}],
        "volumeMounts": [{"name": "libraries", "mountPath": "/libraries", "readOnly": True}],
        "readinessProbe": {"grpc": {"port": 9000, "service": "shop"}, "periodSeconds": 1},
    }
    volume = {"name": "libraries", "hostPath": {"path": libraries, "type": "Directory"}}
    namespace.apply(pod("grpc", main, volumes=[volume]))
    namespace.wait("pod", "grpc", "Ready")
    unknown = {**main, "readinessProbe": {"grpc": {"port": 9000, "service": "other"}, **FAST}}
    namespace.apply(pod("other", unknown, volumes=[volume]))
    eventually_told(namespace, "other", "Unhealthy", "rpc error: code = NotFound desc = ")


def test_the_initial_delay_is_waited_for(namespace):
    probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 4, "periodSeconds": 1}
    namespace.apply(pod("delayed", sh("main", "exec sleep 1000", readinessProbe=probe)))
    found = namespace.wait("pod", "delayed", "Ready")
    began = instant(status_of(found, "main")["state"]["running"]["startedAt"])
    ready = instant(condition(found, "Ready")["lastTransitionTime"])
    assert ready - began >= timedelta(seconds=3)  # both are whole seconds


def test_readiness_gates_need_their_conditions(namespace, cluster):
    gate = {"conditionType": "example.org/checked"}
    namespace.apply(pod("gated", sh("main", "exec sleep 1000"), readinessGates=[gate]))
    found = namespace.wait("pod", "gated", "ContainersReady")
    assert condition(found, "Ready")["reason"] == "ReadinessGatesNotReady"
    cluster.api.request(
        "PATCH",
        namespace.path("pod", "gated") + "/status",
        body={"status": {"conditions": [{"type": gate["conditionType"], "status": "True"}]}},
        content_type="application/strategic-merge-patch+json",
    )
    namespace.wait("pod", "gated", "Ready")
