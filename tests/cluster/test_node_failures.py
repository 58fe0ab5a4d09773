"""What the node says of pods that cannot run, resizes, and what it does after its own death."""

import os
import signal
import time

import pytest
from live import eventually, pod
from pod_states import condition, eventually_told, phase, sh, status_of, waiting_for

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.control import control_socket
from embedded_kubernetes.node.runtime import proctree


def image(reference, **more):
    return {"name": "main", "image": reference, **more}


def test_an_unknown_image_cannot_be_pulled(namespace):
    namespace.apply(pod("typo", image("vitrin:v9")))
    namespace.wait("pod", "typo", lambda now: waiting_for(now, "main") == "ErrImagePull")
    found = namespace.wait(
        "pod", "typo", lambda now: waiting_for(now, "main") == "ImagePullBackOff"
    )
    message = status_of(found, "main")["state"]["waiting"]["message"]
    assert message.startswith('Back-off pulling image "vitrin:v9": ErrImagePull: ')
    assert "connection refused" in message  # no registry is there in tests
    assert found["status"]["phase"] == "Pending"
    eventually_told(namespace, "typo", "Failed", 'Failed to pull image "vitrin:v9"')
    eventually_told(namespace, "typo", "Failed", "Error: ErrImagePull")
    eventually_told(namespace, "typo", "Advice", "host/shell")
    eventually_told(namespace, "typo", "BackOff", 'Back-off pulling image "vitrin:v9"')


@pytest.mark.parametrize(
    ("reference", "policy", "reason"),
    [
        ("vitrin:v9", "Never", "ErrImageNeverPull"),
        ("Vitrine:v1", "IfNotPresent", "InvalidImageName"),
    ],
)
def test_an_image_that_is_refused(namespace, reference, policy, reason):
    namespace.apply(pod("refused", image(reference, imagePullPolicy=policy)))
    found = namespace.wait("pod", "refused", lambda now: waiting_for(now, "main") == reason)
    assert reference in status_of(found, "main")["state"]["waiting"]["message"]
    eventually_told(namespace, "refused", "Failed", f"Error: {reason}")


def test_a_program_that_is_not_there(namespace):
    namespace.apply(pod("none", image("host/shell", command=["/no/such/program"])))
    found = namespace.wait(
        "pod",
        "none",
        lambda now: waiting_for(now, "main") in ("RunContainerError", "CrashLoopBackOff"),
    )
    last = status_of(found, "main")["lastState"]["terminated"]
    assert last["reason"] == "StartError"
    assert last["exitCode"] == 128
    assert "/no/such/program" in last["message"]
    eventually_told(namespace, "none", "Failed", "/no/such/program")


def test_a_pod_bound_by_hand_that_does_not_fit_is_refused(namespace, cluster):
    node = cluster.nodes()[0]["metadata"]["name"]
    main = sh("main", "exec sleep 1000", resources={"requests": {"cpu": "900"}})
    namespace.apply(pod("huge", main, nodeName=node))
    found = namespace.wait("pod", "huge", phase("Failed"))
    assert found["status"]["reason"] == "OutOfcpu"
    assert "requested: 900000" in found["status"]["message"]


def resize(cluster, namespace, name, resources):
    cluster.api.request(
        "PATCH",
        namespace.path("pod", name) + "/resize",
        body={"spec": {"containers": [{"name": "main", "resources": resources}]}},
        content_type="application/strategic-merge-patch+json",
    )


def test_a_running_container_is_resized_in_place(namespace, cluster):
    small = {
        "requests": {"cpu": "10m", "memory": "32Mi"},
        "limits": {"cpu": "100m", "memory": "64Mi"},
    }
    large = {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "200m", "memory": "96Mi"},
    }
    namespace.apply(pod("grows", sh("main", "exec sleep 1000", resources=small)))
    first = namespace.wait("pod", "grows", "Ready")
    assert status_of(first, "main")["resources"] == small
    assert status_of(first, "main")["allocatedResources"] == small["requests"]
    resize(cluster, namespace, "grows", large)
    found = namespace.wait(
        "pod", "grows", lambda now: status_of(now, "main").get("resources") == large
    )
    assert status_of(found, "main")["allocatedResources"] == large["requests"]
    assert status_of(found, "main")["containerID"] == status_of(first, "main")["containerID"]
    eventually_told(namespace, "grows", "ResizeCompleted", "Pod resize completed")


def test_a_resize_waits_for_room(namespace, cluster):
    cores = int(cluster.nodes()[0]["status"]["allocatable"]["cpu"])
    small, large = {"requests": {"cpu": "10m"}}, {"requests": {"cpu": "600m"}}
    most = {"requests": {"cpu": f"{cores * 1000 - 500}m"}}
    namespace.apply(pod("grows", sh("main", "exec sleep 1000", resources=small)))
    namespace.apply(pod("large", sh("main", "exec sleep 1000", resources=most)))
    for name in ("grows", "large"):
        namespace.wait("pod", name, "Ready")
    resize(cluster, namespace, "grows", large)
    found = namespace.wait("pod", "grows", "PodResizePending")
    assert condition(found, "PodResizePending")["reason"] == "Deferred"
    assert (
        "Node didn't have enough resource: cpu" in condition(found, "PodResizePending")["message"]
    )
    assert status_of(found, "main")["allocatedResources"] == small["requests"]
    eventually_told(namespace, "grows", "ResizeDeferred", "Pod resize Deferred")
    namespace.delete_object("pod", "large")
    found = namespace.wait(
        "pod",
        "grows",
        lambda now: status_of(now, "main").get("allocatedResources") == large["requests"],
    )
    assert all(one["type"] != "PodResizePending" for one in found["status"]["conditions"])
    assert status_of(found, "main")["restartCount"] == 0


def test_a_resize_policy_may_ask_for_a_restart(namespace, cluster):
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    small, large = ({"limits": {"memory": size}} for size in ("64Mi", "96Mi"))
    main = sh("main", "exec sleep 1000", resources=small, resizePolicy=policy)
    namespace.apply(pod("again", main))
    namespace.wait("pod", "again", "Ready")
    resize(cluster, namespace, "again", {**large, "requests": {"memory": "96Mi"}})
    found = namespace.wait(
        "pod", "again", lambda now: status_of(now, "main")["restartCount"] == 1
        and status_of(now, "main")["ready"]
    )  # fmt: skip
    assert status_of(found, "main")["resources"]["limits"] == large["limits"]


def node_pid(config):
    answer = control_socket.ask(config.runtime, {"do": "status"}, timeout_s=5.0)
    return answer["components"][config.node_names[0]]["pid"]


def test_containers_come_back_after_the_nodes_death(namespace, cluster):
    config = ClusterConfig.load(cluster.kubeconfig.parent)
    namespace.apply(pod("lives", sh("main", "exec sleep 1000")))
    namespace.apply(pod("dies", sh("main", "exec sleep 1000"), restartPolicy="Never"))
    done = pod("done", sh("main", "echo finished"), restartPolicy="Never")
    namespace.apply(done)
    for name in ("lives", "dies"):
        namespace.wait("pod", name, "Ready")
    namespace.wait("pod", "done", phase("Succeeded"))
    pid = node_pid(config)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: node_pid(config) not in (None, pid), timeout_s=30)
    found = namespace.wait(
        "pod", "lives", lambda now: status_of(now, "main")["restartCount"] == 1
        and status_of(now, "main")["ready"], timeout_s=30
    )  # fmt: skip
    last = status_of(found, "main")["lastState"]["terminated"]
    assert last["reason"] == "ContainerStatusUnknown"
    assert last["exitCode"] == 137
    lost = namespace.wait("pod", "dies", phase("Failed"))
    assert status_of(lost, "main")["state"]["terminated"]["exitCode"] == 137
    assert namespace.get("pod", "done")["status"]["phase"] == "Succeeded"
    assert namespace.logs("done") == "finished\n"


def test_a_node_that_was_taken_for_lost_writes_its_status_again(cluster):
    """The node lifecycle controller writes Unknown where the API was away for too long; only the node takes it back."""
    name = cluster.nodes()[0]["metadata"]["name"]

    def ready():
        return condition(cluster.api.request("GET", f"/api/v1/nodes/{name}"), "Ready")

    before = ready()
    lost = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    found = cluster.api.request(
        "PATCH",
        f"/api/v1/nodes/{name}/status",
        body={"status": {"conditions": [lost]}},
        content_type="application/strategic-merge-patch+json",
    )
    assert condition(found, "Ready")["status"] == "Unknown"
    # Far less than the five minutes after which it writes its status anyway.
    eventually(lambda: ready()["status"] == "True", timeout_s=90)
    assert ready()["reason"] == before["reason"]


def test_the_node_rests_while_pods_back_off(namespace, cluster):
    config = ClusterConfig.load(cluster.kubeconfig.parent)
    namespace.apply(pod("crashes", sh("main", "exit 1")))
    namespace.apply(pod("typo", image("vitrin:v9")))
    eventually_told(namespace, "crashes", "BackOff", "Back-off restarting failed container main")
    namespace.wait("pod", "typo", lambda now: waiting_for(now, "main") == "ImagePullBackOff")
    pid, span_s = node_pid(config), 3.0

    def used():
        """Return processor time over a while (s), and by how much its memory has grown (bytes)."""
        cpu_s, memory_bytes = proctree.cpu_clock_s(pid), proctree.memory_bytes(pid)
        time.sleep(span_s)
        return proctree.cpu_clock_s(pid) - cpu_s, proctree.memory_bytes(pid) - memory_bytes

    # What earlier tests left to be deleted is work too, but ends.
    looks = [used() for _ in range(2)]
    while looks[-1][0] > 0.25 * span_s and len(looks) < 8:
        looks.append(used())
    assert looks[-1][0] < 0.25 * span_s, looks
    assert looks[-1][1] < 4 * 2**20, looks
    assert node_pid(config) == pid
