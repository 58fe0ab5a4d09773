import time
from dataclasses import replace

import pytest

from embedded_kubernetes.node.records import RESTARTING_ALL, Record, Waiting, specs
from embedded_kubernetes.node.rules.decisions import decide, should_restart
from embedded_kubernetes.node.rules.restoring import restored
from embedded_kubernetes.node.rules.status import PodFacts, pod_status
from embedded_kubernetes.node.wall import seconds, timestamp

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


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_last_phase_is_never_left(phase):
    pod, (main,) = make("main")
    run(main)
    assert status_of(pod, [main], previous={"phase": phase})["phase"] == phase


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


# Phases of pods with init containers, sidecars and restart rules (`getPhase` of pkg/kubelet/kubelet_pods.go)


def test_init_containers_that_run_once_more_make_a_pod_pending_again():
    pod, (init, main) = make("main", inits=["init"])
    end(main, 1)
    run(init)
    assert phase_of(pod, [init, main]) == "Pending"
    init.last = {"exitCode": 1}
    assert phase_of(pod, [init, main]) == "Pending"


@pytest.mark.parametrize(
    ("policy", "phase"), [("Always", "Running"), ("OnFailure", "Running"), ("Never", "Failed")]
)
@pytest.mark.parametrize("waits", [False, True])
def test_an_init_container_that_fails_once_more_counts_only_where_it_is_not_restarted(
    policy, phase, waits
):
    pod, (init, main) = make("main", inits=["init"], policy=policy)
    end(main, 1)
    end(init, 1)
    if waits:
        wait_again(init)
    assert phase_of(pod, [init, main]) == phase


def test_an_init_container_that_succeeded_and_waits_is_no_failure():
    pod, (init, main) = make("main", inits=["init"], policy="Never")
    end(init, 0)
    assert phase_of(pod, [init, main]) == "Pending"
    run(main)
    assert phase_of(pod, [init, main]) == "Running"


def test_one_init_container_that_fails_for_good_is_enough():
    pod, (first, second, main) = make("main", inits=["first", "second"], policy="Never")
    end(first, 0)
    end(second, 3)
    assert phase_of(pod, [first, second, main]) == "Failed"


def test_a_sidecar_that_has_not_started_yet_keeps_a_pod_pending_only_before_its_containers_ran():
    pod, (side, main) = make("main", inits=[SIDECAR])
    run(side, started=False)
    end(main, 1)
    main.lives = 0  # a life of another sandbox
    assert phase_of(pod, [side, main]) == "Pending"
    side.started = True
    assert phase_of(pod, [side, main]) == "Running"
    end(side, 1)
    assert phase_of(pod, [side, main]) == "Running"
    run(main)
    run(side, started=False)
    assert phase_of(pod, [side, main]) == "Running"


def test_a_sidecar_that_starts_over_does_not_touch_the_phase():
    pod, (side, main) = make("main", inits=[SIDECAR])
    run(main)
    end(side, 1)
    assert phase_of(pod, [side, main]) == "Running"
    wait_again(side)
    assert phase_of(pod, [side, main]) == "Running"


def test_a_sidecar_that_never_ran_makes_a_pod_pending():
    pod, (side, main) = make("main", inits=[SIDECAR])
    run(main)
    wait_again(side, "ImagePullBackOff")
    assert phase_of(pod, [side, main]) == "Pending"


def test_a_pod_runs_as_long_as_a_sidecar_does_whose_own_end_says_nothing():
    pod, (side, main) = make("main", inits=[SIDECAR], policy="Never")
    run(side)
    end(main, 0)
    assert phase_of(pod, [side, main]) == "Running"
    end(side, 137)
    assert phase_of(pod, [side, main]) == "Succeeded"


def test_a_rule_that_restarts_keeps_a_pod_running():
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    own = {"name": "main", "restartPolicy": "Never", "restartPolicyRules": [rule]}
    pod, (main,) = make(own, policy="Never")
    end(main, 42)
    assert phase_of(pod, [main]) == "Running"
    end(main, 41)
    assert phase_of(pod, [main]) == "Failed"


class Removed:
    """A container that can be taken away."""

    def remove(self):
        pass


ALL_AGAIN = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}


def restarting_pod():
    first = {"name": "first", "restartPolicy": "Never", "restartPolicyRules": [ALL_AGAIN]}
    pod, records = make(first, "second", inits=["init"], policy="Never")
    for record, code in zip(records, (0, 88, 137), strict=True):
        end(record, code)
    return pod, records


def test_a_pod_that_restarts_all_its_containers_runs_all_along():
    pod, records = restarting_pod()
    status = status_of(pod, records)
    assert status["phase"] == "Running"
    assert conditions_of(status)["AllContainersRestarting"]["status"] == "True"
    records[0].exited = {"exitCode": 1}  # the init container was cut short
    assert phase_of(pod, records) == "Running"
    for record in records:
        record.container = Removed()
        record.begin_again(RESTARTING_ALL)
    begun = status_of(pod, records, previous=status)
    assert begun["phase"] == "Running"
    assert conditions_of(begun)["AllContainersRestarting"]["status"] == "False"
    assert [one["state"]["waiting"]["reason"] for one in begun["containerStatuses"]] == [
        "RestartingAllContainers"
    ] * 2
    assert conditions_of(begun)["Initialized"]["status"] == "True"
    initialised = conditions_of(begun)["Initialized"]
    assert (initialised["reason"], initialised["message"]) == (None, None)


def test_only_pods_that_may_restart_all_their_containers_say_whether_they_do():
    pod, records = make("main")
    assert "AllContainersRestarting" not in conditions_of(status_of(pod, records))


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
    assert (shown["started"], shown["ready"]) == (False, False)


def test_containers_wait_for_initialisation():
    pod, records = make("main", inits=["init"])
    (shown,) = status_of(pod, records)["containerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_container_that_runs_says_since_when_and_what_it_is():
    mounts = [
        {"name": "work", "mountPath": "/work"},
        {"name": "site", "mountPath": "/site", "readOnly": True},
    ]
    pod, (main,) = make({"name": "main", "volumeMounts": mounts})
    run(main)
    main.container_id, main.image_id, main.started_wall_s = "abc", "sha256:1", 1_790_000_000.0
    main.user = {"linux": {"uid": 1000}}
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert shown == {
        "name": "main",
        "image": "busybox",
        "imageID": "sha256:1",
        "containerID": "process://abc",
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-09-21T14:13:20Z"}},
        "lastState": {},
        "started": True,
        "ready": True,
        "resources": {},
        "user": {"linux": {"uid": 1000}},
        "volumeMounts": [
            {"name": "work", "mountPath": "/work"},
            {
                "name": "site",
                "mountPath": "/site",
                "readOnly": True,
                "recursiveReadOnly": "Disabled",
            },
        ],
    }


def test_a_container_before_its_first_life_has_neither_resources_nor_a_user():
    requests = {"requests": {"cpu": "100m"}}
    pod, (main,) = make({"name": "main", "resources": requests})
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert not {"resources", "allocatedResources", "user", "containerID", "volumeMounts"} & {*shown}
    run(main)
    main.container_id = "abc"
    assert "user" not in status_of(pod, [main])["containerStatuses"][0]


def test_resources_are_those_it_runs_with_then_those_it_was_granted():
    pod, (main,) = make({"name": "main", "resources": {"requests": {"cpu": "100m"}}})
    main.allocated = {"requests": {"cpu": "200m"}}  # a resize that is under way
    main.container_id = "abc"
    run(main)
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert shown["resources"] == {"requests": {"cpu": "100m"}}
    assert shown["allocatedResources"] == {"cpu": "200m"}
    end(main, 0)
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert shown["resources"] == {"requests": {"cpu": "200m"}}
    main.container = Removed()
    main.begin_again(RESTARTING_ALL)
    assert "resources" in status_of(pod, [main])["containerStatuses"][0]


def test_a_container_that_could_not_be_made_has_resources_all_the_same():
    pod, (main,) = make("main")
    end(main, 128)
    assert status_of(pod, [main])["containerStatuses"][0]["resources"] == {}


def test_a_container_that_is_over_is_neither_started_nor_ready_and_its_end_is_no_last_state():
    pod, (main,) = make("main", policy="Never")
    run(main)
    end(main, 0)
    main.last = {"exitCode": 7}
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert shown["state"] == {"terminated": {"exitCode": 0, "reason": "Completed"}}
    assert shown["lastState"] == {"terminated": {"exitCode": 7}}
    assert (shown["started"], shown["ready"]) == (False, False)


def test_a_container_whose_startup_probe_has_not_passed_is_not_ready():
    pod, (main,) = make("main")
    run(main, started=False)
    (shown,) = status_of(pod, [main])["containerStatuses"]
    assert (shown["started"], shown["ready"]) == (False, False)


def test_a_container_that_is_being_started_shows_what_it_showed_before():
    pod, (main,) = make("main")
    end(main, 1)
    wait_again(main)
    before = status_of(pod, [main])
    main.starting, main.waiting = True, None
    assert (
        status_of(pod, [main], previous=before)["containerStatuses"]
        == (before["containerStatuses"])
    )
    (shown,) = status_of(pod, [main], previous={"containerStatuses": [{"name": "main"}]})[
        "containerStatuses"
    ]
    assert shown["state"] == {"terminated": {"exitCode": 1, "reason": "Error"}}


@pytest.mark.parametrize("group", ["initContainerStatuses", "ephemeralContainerStatuses"])
def test_that_holds_for_init_and_ephemeral_containers_too(group):
    pod, _ = make("main", inits=["init"])
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "busybox"}]
    records = [Record(entry, role) for entry, role in specs(pod)]
    before = status_of(pod, records)
    for record in records:
        run(record)
        record.announced, record.starting = False, record.role != "main"
        record.image_id = "new"
    assert status_of(pod, records, previous=before)[group] == before[group]


def test_an_ephemeral_container_waits_for_no_initialisation_and_is_never_ready():
    pod, _ = make("main", inits=["init"])
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "busybox"}]
    records = [Record(entry, role) for entry, role in specs(pod)]
    (shown,) = status_of(pod, records)["ephemeralContainerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "ContainerCreating"}}
    run(records[-1])
    (shown,) = status_of(pod, records)["ephemeralContainerStatuses"]
    assert "running" in shown["state"] and not shown["ready"]


# What a pod says of itself


def test_a_pod_says_where_it_is_and_since_when():
    pod, records = make("main")
    status = status_of(pod, records)
    assert status["hostIP"] == "127.0.0.1" and status["hostIPs"] == [{"ip": "127.0.0.1"}]
    assert status["podIP"] == "10.244.0.5" and status["podIPs"] == [{"ip": "10.244.0.5"}]
    assert status["startTime"] == "1970-01-01T00:16:40Z"
    assert status["observedGeneration"] == 2
    assert not {"resources", "allocatedResources", "reason", "message"} & {*status}
    behind = status_of(pod, records, replace(FACTS, generation=1))
    assert behind["observedGeneration"] == 1
    assert {entry["observedGeneration"] for entry in behind["conditions"]} == {1}
    nowhere = status_of(pod, records, replace(FACTS, pod_ip=""))
    assert not {"podIP", "podIPs"} & {*nowhere}


def test_the_resources_of_a_whole_pod_are_told_where_it_has_some():
    pod, records = make("main")
    facts = replace(FACTS, resources={"limits": {"cpu": "1"}}, allocated={"cpu": "500m"})
    status = status_of(pod, records, facts)
    assert status["resources"] == {"limits": {"cpu": "1"}}
    assert status["allocatedResources"] == {"cpu": "500m"}


def test_containers_are_listed_by_name_and_init_containers_in_their_order():
    pod, _ = make("web", "api", inits=["second", SIDECAR, "first"])
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "busybox"}]
    records = [Record(entry, role) for entry, role in specs(pod)]
    status = status_of(pod, records)
    listed = {
        group: [one["name"] for one in found]
        for group, found in status.items()
        if group.endswith("Statuses")
    }
    assert listed == {
        "containerStatuses": ["api", "web"],
        "initContainerStatuses": ["second", "side", "first"],
        "ephemeralContainerStatuses": ["debug"],
    }
    plain = status_of(*make("web"))
    assert not {"initContainerStatuses", "ephemeralContainerStatuses"} & {*plain}


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


def test_a_pod_that_completed_was_initialised_and_says_why_it_is_not_ready():
    pod, (main,) = make("main", policy="Never")
    run(main)
    running = status_of(pod, [main])
    end(main, 0)
    found = conditions_of(status_of(pod, [main], previous=running))
    told = {kind: (one["status"], one["reason"]) for kind, one in found.items()}
    assert told == {
        "PodReadyToStartContainers": ("True", None),
        "Initialized": ("True", "PodCompleted"),
        "Ready": ("False", "PodCompleted"),
        "ContainersReady": ("False", "PodCompleted"),
        "PodScheduled": ("True", None),
    }


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
    gone = {"$patch": "delete", "type": "PodResizePending"}
    assert gone in status_of(pod, [main])["conditions"]
    going_on = {"type": "PodResizeInProgress", "status": "True"}
    status = status_of(pod, [main], replace(FACTS, resize=(going_on,)))
    assert [one for one in status["conditions"] if "Resize" in one["type"]] == [going_on, gone]
    pod["status"]["conditions"].append(going_on)
    status = status_of(pod, [main], replace(FACTS, resize=(going_on,)))
    assert [one for one in status["conditions"] if "Resize" in one["type"]] == [going_on, gone]
    pod["status"]["conditions"] = [going_on]
    gone = {"$patch": "delete", "type": "PodResizeInProgress"}
    assert [one for one in status_of(pod, [main])["conditions"] if "Resize" in one["type"]] == [
        gone
    ]


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
