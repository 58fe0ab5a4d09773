"""Pods on the embedded cluster: what runs when, what restarts, how it ends."""

import time
from datetime import timedelta

import leftovers
import pytest
from live import eventually, pod
from pod_states import (
    SHELL_IMAGE,
    condition,
    eventually_told,
    instant,
    phase,
    sh,
    status_of,
    told,
    waiting_for,
)

from embedded_kubernetes.config import ClusterConfig

# Running


def test_a_running_pod_shows_all_that_its_node_knows(namespace, cluster):
    namespace.apply(pod("one", sh("main", "exec sleep 1000")))
    found = namespace.wait("pod", "one", "Ready")
    status = found["status"]
    main = status_of(found, "main")
    config = ClusterConfig.load(cluster.kubeconfig.parent)
    assert status["phase"] == "Running"
    assert status["podIP"].startswith(config.pod_cidr.rsplit(".", 2)[0])
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert status["hostIP"] == config.host_address(found["spec"]["nodeName"])
    assert status["qosClass"] == "BestEffort"
    assert status["observedGeneration"] == found["metadata"]["generation"]
    assert {one["type"] for one in status["conditions"] if one["status"] == "True"} == {
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    }
    assert main["started"] and main["ready"] and main["restartCount"] == 0
    assert main["containerID"].startswith("process://")
    assert main["imageID"].startswith("sha256:")
    said = eventually(lambda: len(said := told(namespace, "one")) >= 4 and said)
    assert [reason for reason, _ in said] == ["Scheduled", "Pulled", "Created", "Started"]


def test_init_containers_run_in_order_before_the_others(namespace):
    volume = {"name": "work", "emptyDir": {}}
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    manifest = pod(
        "ordered",
        sh("main", "cat /work/order; echo main; sleep 1000", **mount),
        initContainers=[
            sh("first", "sleep 0.3; echo first >> /work/order", **mount),
            sh("second", "echo second >> /work/order", **mount),
        ],
        volumes=[volume],
    )
    namespace.apply(manifest)
    found = namespace.wait("pod", "ordered", "Ready")
    eventually(lambda: namespace.logs("ordered").split() == ["first", "second", "main"])
    for name in ("first", "second"):
        one = status_of(found, name)
        assert one["ready"] and one["state"]["terminated"]["reason"] == "Completed"


def test_a_failing_init_container_ends_a_pod_that_never_restarts(namespace):
    manifest = pod(
        "doomed", sh("main", "exit 0"), initContainers=[sh("bad", "exit 3")], restartPolicy="Never"
    )
    namespace.apply(manifest)
    found = namespace.wait("pod", "doomed", phase("Failed"))
    assert status_of(found, "bad")["state"]["terminated"]["exitCode"] == 3
    assert status_of(found, "main")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert condition(found, "Initialized")["status"] == "False"


def test_a_failing_init_container_is_tried_again(namespace):
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    script = "test -e /work/tried && exit 0; touch /work/tried; exit 1"
    manifest = pod(
        "stubborn",
        sh("main", "exec sleep 1000"),
        initContainers=[sh("twice", script, **mount)],
        volumes=[{"name": "work", "emptyDir": {}}],
    )
    namespace.apply(manifest)
    found = namespace.wait("pod", "stubborn", "Ready")
    assert status_of(found, "twice")["restartCount"] == 1


def test_a_sidecar_starts_first_runs_along_and_ends_last(namespace, tmp_path):
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    side = sh(
        "side",
        "trap 'echo side >> /work/order; exit 0' TERM; touch /work/up; while :; do sleep 0.05; done",
        restartPolicy="Always",
        startupProbe={"exec": {"command": ["test", "-e", "/work/up"]}, "periodSeconds": 1},
        **mount,
    )
    main = sh("main", "test -e /work/up && sleep 0.5; echo main >> /work/order", **mount)
    manifest = pod(
        "job",
        main,
        initContainers=[side],
        restartPolicy="Never",
        volumes=[{"name": "work", "hostPath": {"path": str(tmp_path), "type": "Directory"}}],
        terminationGracePeriodSeconds=10,
    )
    namespace.apply(manifest)
    namespace.wait("pod", "job", lambda found: status_of(found, "side").get("started"))
    found = namespace.wait("pod", "job", phase("Succeeded"))
    assert status_of(found, "main")["state"]["terminated"]["exitCode"] == 0
    assert "terminated" in status_of(found, "side")["state"]
    assert (tmp_path / "order").read_text().split() == ["main", "side"]


def test_an_ephemeral_container_joins_a_running_pod(namespace, cluster):
    namespace.apply(pod("one", sh("main", "exec sleep 1000")))
    namespace.wait("pod", "one", "Ready")
    debug = {"name": "debug", "image": SHELL_IMAGE, "command": ["sh", "-c", "echo here; exit 4"]}
    path = namespace.path("pod", "one") + "/ephemeralcontainers"
    cluster.api.request(
        "PATCH",
        path,
        body={"spec": {"ephemeralContainers": [debug]}},
        content_type="application/strategic-merge-patch+json",
    )
    found = namespace.wait(
        "pod",
        "one",
        lambda now: (
            now["status"].get("ephemeralContainerStatuses")
            and "terminated" in status_of(now, "debug")["state"]
        ),
    )
    assert status_of(found, "debug")["state"]["terminated"]["exitCode"] == 4
    assert namespace.logs("one", container="debug") == "here\n"
    assert status_of(found, "main")["ready"]


# Restarts


def test_a_container_that_ends_restarts_at_once_then_waits(namespace):
    namespace.apply(pod("crash", sh("main", "echo life; exit 7")))
    eventually_told(namespace, "crash", "BackOff", "Back-off restarting failed container main")
    found = namespace.wait("pod", "crash", lambda now: status_of(now, "main")["restartCount"] == 1)
    main = status_of(found, "main")
    # Nobody has looked at the pod since it was refused its restart: it shows how it ended.
    assert main["state"]["terminated"]["exitCode"] == 7
    assert main["state"]["terminated"]["reason"] == "Error"
    assert main["lastState"]["terminated"]["exitCode"] == 7
    assert found["status"]["phase"] == "Running"
    assert namespace.logs("crash") == namespace.logs("crash", previous=True) == "life\n"
    # A change of the pod is a look at it: from now on it shows that it waits.
    namespace.patch("pod", "crash", {"metadata": {"labels": {"looked": "at"}}})
    found = namespace.wait(
        "pod", "crash", lambda now: waiting_for(now, "main") == "CrashLoopBackOff"
    )
    uid = found["metadata"]["uid"]
    main = status_of(found, "main")
    assert main["restartCount"] == 1
    assert main["state"]["waiting"]["message"] == (
        f"back-off 10s restarting failed container=main pod=crash_{namespace.name}({uid})"
    )
    assert namespace.logs("crash", previous=True) == "life\n"
    ended = instant(main["lastState"]["terminated"]["finishedAt"])
    found = namespace.wait(
        "pod", "crash", lambda now: status_of(now, "main")["restartCount"] == 2, timeout_s=60
    )
    main = status_of(found, "main")
    third = main["state"].get("running") or main["state"].get("terminated")
    third = third or main["lastState"]["terminated"]
    assert instant(third["startedAt"]) - ended >= timedelta(seconds=9)  # both are whole seconds


@pytest.mark.parametrize(
    ("policy", "code", "wanted", "restarts"),
    [
        ("Never", 0, "Succeeded", 0),
        ("Never", 5, "Failed", 0),
        ("OnFailure", 0, "Succeeded", 0),
    ],
)
def test_a_pod_that_does_not_restart_has_a_last_phase(namespace, policy, code, wanted, restarts):
    namespace.apply(pod("short", sh("main", f"exit {code}"), restartPolicy=policy))
    found = namespace.wait("pod", "short", phase("Succeeded", "Failed"))
    main = status_of(found, "main")
    assert found["status"]["phase"] == wanted
    assert main["state"]["terminated"]["exitCode"] == code
    assert main["restartCount"] == restarts
    reason = "PodCompleted" if wanted == "Succeeded" else "PodFailed"
    assert condition(found, "Ready")["reason"] == reason


def test_a_rule_restarts_for_some_exit_codes(namespace):
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    script = "test -e /work/tried && exit 0; touch /work/tried; exit 42"
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    main = sh("main", script, restartPolicy="Never", restartPolicyRules=[rule], **mount)
    namespace.apply(
        pod("rule", main, restartPolicy="Never", volumes=[{"name": "work", "emptyDir": {}}])
    )
    found = namespace.wait("pod", "rule", phase("Succeeded", "Failed"))
    assert found["status"]["phase"] == "Succeeded"
    assert status_of(found, "main")["restartCount"] == 1


def test_a_job_replaces_pods_that_fail(namespace):
    template = {
        "spec": {
            "containers": [sh("main", "exit 1")],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
        }
    }
    namespace.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "tries"},
            "spec": {"backoffLimit": 0, "template": template},
        }
    )
    found = namespace.wait("job", "tries", "Failed")
    assert found["status"]["failed"] == 1


def test_a_pod_ends_at_its_deadline(namespace):
    namespace.apply(pod("late", sh("main", "exec sleep 1000"), activeDeadlineSeconds=1))
    found = namespace.wait("pod", "late", phase("Failed"))
    assert found["status"]["reason"] == "DeadlineExceeded"
    assert "longer than the specified deadline" in found["status"]["message"]
    assert status_of(found, "main")["state"]["terminated"]["exitCode"] == 137 or (
        status_of(found, "main")["state"]["terminated"]["exitCode"] == 143
    )


def test_a_new_image_restarts_the_container(namespace):
    namespace.apply(pod("one", sh("main", "exec sleep 1000")))
    first = namespace.wait("pod", "one", "Ready")
    container = {"name": "main", "image": "host/python"}
    namespace.patch("pod", "one", {"spec": {"containers": [container]}})
    found = namespace.wait(
        "pod", "one", lambda now: status_of(now, "main")["restartCount"] == 1
        and status_of(now, "main")["ready"]
    )  # fmt: skip
    assert status_of(found, "main")["image"] == "host/python"
    assert status_of(found, "main")["containerID"] != status_of(first, "main")["containerID"]
    eventually_told(
        namespace, "one", "Killing", "Container main definition changed, will be restarted"
    )


# The end


def test_termination_message_and_exit_code(namespace):
    namespace.apply(
        pod("says", sh("main", "echo why > /dev/termination-log; exit 9"), restartPolicy="Never")
    )
    found = namespace.wait("pod", "says", phase("Failed"))
    assert status_of(found, "main")["state"]["terminated"]["message"] == "why\n"
    main = sh("main", "echo last words; exit 1", terminationMessagePolicy="FallbackToLogsOnError")
    namespace.apply(pod("logs", main, restartPolicy="Never"))
    found = namespace.wait("pod", "logs", phase("Failed"))
    assert status_of(found, "main")["state"]["terminated"]["message"] == "last words\n"


def test_sigterm_then_the_grace_period_then_sigkill(namespace):
    polite = sh("main", "trap 'exit 0' TERM; echo set; while :; do sleep 0.05; done")
    deaf = sh("main", "trap '' TERM; echo set; while :; do sleep 0.05; done")
    namespace.apply(pod("polite", polite, terminationGracePeriodSeconds=30))
    namespace.apply(pod("deaf", deaf, terminationGracePeriodSeconds=3))
    for name in ("polite", "deaf"):
        namespace.wait("pod", name, "Ready")
        eventually(lambda name=name: namespace.logs(name) == "set\n")
    took = {}
    for name in ("polite", "deaf"):
        began = time.monotonic()
        namespace.delete_object("pod", name, timeout_s=30)
        namespace.wait("pod", name, "deleted")
        took[name] = time.monotonic() - began
    assert took["polite"] < 25
    assert 3 <= took["deaf"] < 25
    eventually_told(namespace, "deaf", "Killing", "Stopping container main")


def test_hooks_run_after_the_start_and_before_the_end(namespace, tmp_path):
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    lifecycle = {
        "postStart": {"exec": {"command": ["sh", "-c", "sleep 0.5; echo post >> /work/order"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo pre >> /work/order"]}},
    }
    script = "trap 'echo term >> /work/order; exit 0' TERM; echo set; while :; do sleep 0.05; done"
    volumes = [{"name": "work", "hostPath": {"path": str(tmp_path), "type": "Directory"}}]
    namespace.apply(
        pod(
            "hooked",
            sh("main", script, lifecycle=lifecycle, **mount),
            volumes=volumes,
            terminationGracePeriodSeconds=10,
        )
    )
    began = time.monotonic()
    namespace.wait("pod", "hooked", "Ready")
    assert time.monotonic() - began >= 0.5
    eventually(lambda: namespace.logs("hooked") == "set\n")
    namespace.delete_object("pod", "hooked")
    namespace.wait("pod", "hooked", "deleted")
    assert (tmp_path / "order").read_text().split() == ["post", "pre", "term"]


def test_a_failing_post_start_hook_kills_the_container(namespace):
    lifecycle = {"postStart": {"exec": {"command": ["false"]}}}
    namespace.apply(pod("bad", sh("main", "exec sleep 1000", lifecycle=lifecycle)))
    eventually_told(namespace, "bad", "FailedPostStartHook", "PostStartHook failed")
    namespace.wait("pod", "bad", lambda now: status_of(now, "main")["restartCount"] >= 1)
    assert not status_of(namespace.get("pod", "bad"), "main")["ready"]


def test_a_sleeping_pre_stop_hook_holds_the_end_back(namespace):
    lifecycle = {"preStop": {"sleep": {"seconds": 1}}}
    script = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
    namespace.apply(
        pod("slow", sh("main", script, lifecycle=lifecycle), terminationGracePeriodSeconds=60)
    )
    namespace.wait("pod", "slow", "Ready")
    began = time.monotonic()
    namespace.delete_object("pod", "slow")
    namespace.wait("pod", "slow", "deleted")
    assert 1 <= time.monotonic() - began < 40


def test_a_deleted_pod_leaves_nothing(namespace, cluster):
    config = ClusterConfig.load(cluster.kubeconfig.parent)
    folder = config.path / "nodes" / config.node_names[0]
    found = namespace.apply(pod("gone", sh("main", "exec sleep 1000")))[0]
    found = namespace.wait("pod", "gone", "Ready")
    container_id = status_of(found, "main")["containerID"].removeprefix("process://")
    kept = [folder / "pods" / found["metadata"]["uid"], folder / "containers" / container_id]
    assert all(one.is_dir() for one in kept)
    namespace.delete_object("pod", "gone")
    namespace.wait("pod", "gone", "deleted")
    assert not any(one.exists() for one in kept)


def test_a_forced_deletion_ends_the_processes_too(namespace, cluster):
    config = ClusterConfig.load(cluster.kubeconfig.parent)
    folder = config.path / "nodes" / config.node_names[0]
    deaf = sh("main", "trap '' TERM; while :; do sleep 0.05; done")
    namespace.apply(pod("forced", deaf, terminationGracePeriodSeconds=600))
    found = namespace.wait("pod", "forced", "Ready")
    container_id = status_of(found, "main")["containerID"].removeprefix("process://")
    container = folder / "containers" / container_id
    assert leftovers.marked(container)
    namespace.delete_object("pod", "forced", grace_s=0)
    eventually(lambda: not (folder / "pods" / found["metadata"]["uid"]).exists())
    eventually(lambda: not leftovers.marked(container))


def test_a_shorter_grace_period_counts_while_a_pod_ends(namespace, cluster):
    deaf = sh("main", "trap '' TERM; while :; do sleep 0.05; done")
    namespace.apply(pod("long", deaf, terminationGracePeriodSeconds=600))
    namespace.wait("pod", "long", "Ready")
    options = {"apiVersion": "v1", "kind": "DeleteOptions"}
    path = namespace.path("pod", "long")
    cluster.api.request("DELETE", path, body=options)
    eventually_told(namespace, "long", "Killing")
    cluster.api.request("DELETE", path, body={**options, "gracePeriodSeconds": 1})
    namespace.wait("pod", "long", "deleted", timeout_s=20)
