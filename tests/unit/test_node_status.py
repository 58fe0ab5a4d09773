import time

import pytest

from k8s_helpers.embedded.node.decisions import decide, should_restart
from k8s_helpers.embedded.node.records import Record, Waiting, specs
from k8s_helpers.embedded.node.restoring import restored
from k8s_helpers.embedded.node.status import PodFacts, pod_status
from k8s_helpers.embedded.node.wall import seconds, timestamp

FACTS = PodFacts("127.0.0.1", "10.244.0.5", 1000.0, sandbox_ready=True)


def make(*mains, inits=(), policy="Always", **spec):
    """Return a pod and the records of its containers; a container is a name or a dict."""

    def container(one):
        return {"image": "busybox", **({"name": one} if isinstance(one, str) else one)}

    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "generation": 2},
        "spec": {
            "restartPolicy": policy,
            "containers": [container(one) for one in mains],
            "initContainers": [container(one) for one in inits],
            **spec,
        },
    }
    return pod, [Record(entry, role) for entry, role in specs(pod)]


def run(record, *, ready=True, started=True):
    record.lives += 1
    record.container = object()
    record.exited = record.waiting = None
    record.announced, record.ready, record.started = True, ready, started


def end(record, code):
    if record.lives == 0:
        run(record)
    record.exited = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}


def wait_again(record, reason="CrashLoopBackOff"):
    record.waiting = Waiting(reason, "words")


def status_of(pod, records, facts=FACTS, previous=None, now=2000.0):
    return pod_status(pod, records, facts, previous or {}, now)


def phase_of(pod, records, facts=FACTS):
    return status_of(pod, records, facts)["phase"]


def conditions_of(status):
    return {one["type"]: one for one in status["conditions"]}


SIDECAR = {"name": "side", "restartPolicy": "Always"}


# Phases (the cases of TestPodPhaseWithRestart… in pkg/kubelet/kubelet_pods_test.go)


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_a_pod_is_pending_until_all_containers_have_been_started(policy):
    pod, (first, second) = make("first", "second", policy=policy)
    assert phase_of(pod, [first, second]) == "Pending"
    run(first)
    assert phase_of(pod, [first, second]) == "Pending"
    run(second)
    assert phase_of(pod, [first, second]) == "Running"
    end(second, 1)
    assert phase_of(pod, [first, second]) == "Running"


@pytest.mark.parametrize(
    ("policy", "codes", "phase"),
    [
        ("Always", (0, 0), "Running"),
        ("Always", (0, 1), "Running"),
        ("OnFailure", (0, 0), "Succeeded"),
        ("OnFailure", (0, 1), "Running"),
        ("Never", (0, 0), "Succeeded"),
        ("Never", (0, 1), "Failed"),
        ("Never", (1, 1), "Failed"),
    ],
)
def test_the_phase_of_ended_containers_depends_on_the_restart_policy(policy, codes, phase):
    pod, records = make("first", "second", policy=policy)
    for record, code in zip(records, codes, strict=True):
        end(record, code)
    assert phase_of(pod, records) == phase


def test_a_pod_whose_end_is_decided_has_a_last_phase_whatever_its_policy():
    ended = PodFacts("127.0.0.1", "10.244.0.5", 1000.0, sandbox_ready=False, ended=True)
    pod, (main,) = make("main")
    end(main, 0)
    assert phase_of(pod, [main], ended) == "Succeeded"
    end(main, 137)
    assert phase_of(pod, [main], ended) == "Failed"
    end(main, 0)
    wait_again(main)
    assert phase_of(pod, [main], ended) == "Failed"


def test_a_pod_that_ends_before_its_containers_began_has_failed():
    ended = PodFacts("127.0.0.1", "", 1000.0, sandbox_ready=False, ended=True)
    pod, records = make("main", inits=["init"])
    assert phase_of(pod, records, ended) == "Failed"


def test_a_last_phase_is_never_left():
    pod, (main,) = make("main")
    run(main)
    assert status_of(pod, [main], previous={"phase": "Failed"})["phase"] == "Failed"


def test_a_crashing_container_keeps_its_pod_running():
    pod, (main,) = make("main")
    end(main, 1)
    wait_again(main)
    assert phase_of(pod, [main]) == "Running"


def test_a_failing_init_container_fails_a_pod_that_never_restarts():
    for policy, phase in (("Never", "Failed"), ("Always", "Pending")):
        pod, (init, main) = make("main", inits=["init"], policy=policy)
        end(init, 1)
        assert phase_of(pod, [init, main]) == phase


def test_the_nodes_own_verdict_wins():
    pod, (main,) = make("main")
    run(main)
    facts = PodFacts("127.0.0.1", "", 0.0, sandbox_ready=True, rejected=("OutOfcpu", "words"))
    status = status_of(pod, [main], facts)
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "OutOfcpu", "words")


# Containers


def test_a_container_that_waits_again_shows_its_last_life():
    pod, (main,) = make("main")
    end(main, 7)
    main.restart_count = 3
    wait_again(main)
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "words"}}
    assert shown["lastState"]["terminated"]["exitCode"] == 7
    assert shown["restartCount"] == 3
    assert not shown["started"]


def test_a_container_runs_for_others_only_after_its_hook():
    pod, (main,) = make("main")
    run(main)
    main.announced = False
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert not shown["ready"]


def test_containers_wait_for_initialisation():
    pod, records = make("main", inits=["init"])
    (shown,) = status_of(pod, records)["containerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "PodInitializing"}}


# Conditions


def test_readiness_needs_every_container():
    pod, (first, second) = make("first", "second")
    run(first)
    run(second, ready=False)
    found = conditions_of(status_of(pod, [first, second]))
    assert found["Initialized"]["status"] == "True"
    assert found["Ready"]["status"] == found["ContainersReady"]["status"] == "False"
    assert found["Ready"]["reason"] == "ContainersNotReady"
    assert found["Ready"]["message"] == "containers with unready status: [second]"
    second.ready = True
    assert conditions_of(status_of(pod, [first, second]))["Ready"]["status"] == "True"


def test_a_transition_keeps_its_time_until_the_next_one():
    pod, (main,) = make("main")
    run(main, ready=False)
    first = status_of(pod, [main], now=2000.0)
    later = status_of(pod, [main], previous=first, now=3000.0)
    assert conditions_of(later)["Ready"]["lastTransitionTime"] == timestamp(2000.0)
    main.ready = True
    ready = status_of(pod, [main], previous=later, now=4000.0)
    assert conditions_of(ready)["Ready"]["lastTransitionTime"] == timestamp(4000.0)
    assert conditions_of(ready)["Initialized"]["lastTransitionTime"] == timestamp(2000.0)


def test_readiness_gates():
    pod, (main,) = make("main", readinessGates=[{"conditionType": "checked"}])
    run(main)
    found = conditions_of(status_of(pod, [main]))
    assert found["ContainersReady"]["status"] == "True"
    assert found["Ready"]["reason"] == "ReadinessGatesNotReady"
    assert 'readiness gate "checked" does not exist' in found["Ready"]["message"]
    pod["status"] = {"conditions": [{"type": "checked", "status": "True"}]}
    assert conditions_of(status_of(pod, [main]))["Ready"]["status"] == "True"


def test_initialisation_waits_for_init_containers_and_started_sidecars():
    pod, (init, side, main) = make("main", inits=["init", SIDECAR])
    end(init, 0)
    run(side, started=False)
    found = conditions_of(status_of(pod, [init, side, main]))["Initialized"]
    assert found["message"] == "containers with incomplete status: [side]"
    side.started = True
    found = conditions_of(status_of(pod, [init, side, main]))
    assert found["Initialized"]["status"] == "True"


def test_a_resize_that_is_over_is_taken_away():
    pod, (main,) = make("main")
    pod["status"] = {"conditions": [{"type": "PodResizePending", "status": "True"}]}
    assert {"$patch": "delete", "type": "PodResizePending"} in status_of(pod, [main])["conditions"]


# Decisions


def names(records):
    return [record.name for record in records]


def test_init_containers_start_one_after_the_other():
    pod, (first, second, main) = make("main", inits=["first", "second"])
    records = [first, second, main]
    assert names(decide(pod["spec"], records).start) == ["first"]
    run(first)
    assert decide(pod["spec"], records).start == ()
    end(first, 0)
    assert names(decide(pod["spec"], records).start) == ["second"]
    end(second, 0)
    assert names(decide(pod["spec"], records).start) == ["main"]


def test_a_sidecar_must_have_started_before_the_next_one_does():
    pod, (side, main) = make("main", inits=[SIDECAR])
    assert names(decide(pod["spec"], [side, main]).start) == ["side"]
    run(side, started=False)
    assert decide(pod["spec"], [side, main]).start == ()
    side.started = True
    assert names(decide(pod["spec"], [side, main]).start) == ["main"]
    run(main)
    end(side, 1)
    actions = decide(pod["spec"], [side, main])
    assert names(actions.start) == ["side"]
    assert not actions.over


def test_sidecars_do_not_keep_a_pod_alive():
    pod, (side, main) = make("main", inits=[SIDECAR], policy="Never")
    run(side)
    end(main, 0)
    assert decide(pod["spec"], [side, main]).over


def test_a_failed_probe_replaces_the_container():
    pod, (main,) = make("main")
    run(main)
    main.failed_probe = "liveness"
    actions = decide(pod["spec"], [main])
    (kill,) = actions.kill
    assert kill.message == "Container main failed liveness probe, will be restarted"
    assert kill.probe == "liveness"
    assert names(actions.start) == ["main"]
    pod["spec"]["restartPolicy"] = "Never"
    (kill,) = decide(pod["spec"], [main]).kill
    assert kill.message == "Container main failed liveness probe"


def test_ephemeral_containers_run_once():
    pod, _ = make("main")
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "busybox"}]
    main, debug = (Record(entry, role) for entry, role in specs(pod))
    run(main)
    assert names(decide(pod["spec"], [main, debug]).start) == ["debug"]
    end(debug, 1)
    assert decide(pod["spec"], [main, debug]).start == ()


def test_a_rule_wins_over_the_containers_policy_which_wins_over_the_pods():
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    pod_spec = {"restartPolicy": "Always"}
    own = {"restartPolicy": "Never", "restartPolicyRules": [rule]}
    assert should_restart(own, pod_spec, 42)
    assert not should_restart(own, pod_spec, 1)
    assert should_restart({}, pod_spec, 0)
    assert not should_restart({"restartPolicy": "OnFailure"}, pod_spec, 0)


# After the node's own death


def lived(pod, **states):
    pod["status"] = {
        "phase": "Running",
        "containerStatuses": [
            {"name": name, "restartCount": 2, "state": state} for name, state in states.items()
        ],
    }
    return restored(pod, time.time())


def test_what_ran_has_ended_in_an_unknown_way():
    pod, _ = make("main")
    (main,) = lived(pod, main={"running": {"startedAt": timestamp(0)}})
    assert main.exited["reason"] == "ContainerStatusUnknown"
    assert names(decide(pod["spec"], [main]).start) == ["main"]
    pod, _ = make("main", policy="Never")
    records = lived(pod, main={"running": {"startedAt": timestamp(0)}})
    assert decide(pod["spec"], records).over
    assert phase_of(pod, records) == "Failed"


def test_init_containers_run_again_in_a_new_sandbox():
    pod, _ = make("main", inits=["init"])
    pod["status"] = {
        "phase": "Running",
        "initContainerStatuses": [{"name": "init", "state": {"terminated": {"exitCode": 0}}}],
        "containerStatuses": [{"name": "main", "state": {"running": {}}}],
    }
    records = restored(pod, time.time())
    assert names(decide(pod["spec"], records).start) == ["init"]
    assert [record.restart_count for record in records] == [1, 1]


def test_what_is_over_stays_over():
    pod, _ = make("main", policy="OnFailure")
    (main,) = lived(pod, main={"terminated": {"exitCode": 0}})
    assert main.exit_code == 0
    assert decide(pod["spec"], [main]).over


def test_instants_survive_the_way_to_the_api_and_back():
    assert timestamp(0.9) == "1970-01-01T00:00:00Z"
    assert seconds(timestamp(1_790_000_000.0)) == 1_790_000_000.0
