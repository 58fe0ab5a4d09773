"""Rules that restart one container of a pod, or all of them."""

import pytest

from embedded_kubernetes.node.records import RESTARTING_ALL, Record
from embedded_kubernetes.node.rules.conditions import restarting_all
from embedded_kubernetes.node.rules.decisions import (
    decide,
    may_restart_all,
    restarts_all,
    should_restart,
)

RULE = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}
ONE = {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0, 88]}}


def record(name, role, code=None, *rules):
    spec = {"name": name, "image": "x", "restartPolicy": "Never", "restartPolicyRules": list(rules)}
    made = Record(spec, role)
    if code is not None:
        made.lives = 1
        made.exited = {"exitCode": code}
    return made


@pytest.mark.parametrize("role", ["init", "sidecar", "main"])
def test_an_exit_code_restarts_them_all(role):
    records = [record("first", "init", 0), record("it", role, 88, RULE), record("a", "main")]
    assert restarts_all(records)
    assert decide({"restartPolicy": "Never"}, records).restart_all
    assert restarting_all(records, "Running")[:2] == (True, "RestartAllContainersStarted")
    assert restarting_all(records, "Failed")[:2] == (False, "PodFailed")


def test_the_first_rule_that_matches_counts():
    both = (ONE, {**RULE, "exitCodes": {"operator": "NotIn", "values": [0]}})
    assert not restarts_all([record("a", "main", 5, *both)])
    assert restarts_all([record("a", "main", 88, *both)])
    assert not restarts_all([record("a", "main", 0, *both), record("b", "main", None, RULE)])


def test_a_container_that_restarts_all_is_not_over():
    container = record("a", "main", 88, RULE).spec
    assert should_restart(container, {"restartPolicy": "Never"}, 88)
    assert not should_restart(container, {"restartPolicy": "Never"}, 5)


def test_which_pods_may_restart_all():
    with_rule = {"containers": [{}], "initContainers": [record("a", "init", None, RULE).spec]}
    assert may_restart_all(with_rule)
    assert not may_restart_all({"containers": [record("a", "main", None, ONE).spec]})


def test_a_container_begins_again_with_one_more_restart():
    begun = record("a", "main", 88, RULE)
    begun.restart_count = 2
    begun.begin_again(RESTARTING_ALL)
    assert (begun.restart_count, begun.lives, begun.running, begun.exit_code) == (3, 0, False, None)
    assert begun.last is not None
    assert begun.last["reason"] == "RestartingAllContainers"
    assert decide({"restartPolicy": "Never"}, [begun]).start == (begun,)


def test_a_container_that_still_runs_has_no_exit_code_for_a_rule_to_match():
    rule = {**RULE, "exitCodes": {"operator": "NotIn", "values": [0]}}
    assert not restarts_all([ran(record("a", "main", None, rule))])


def test_one_container_with_such_a_rule_is_enough():
    assert may_restart_all({"containers": [{}, record("a", "main", None, RULE).spec, {}]})
    assert may_restart_all({"containers": [{"restartPolicyRules": [ONE, RULE]}]})


def test_a_pod_restarts_its_containers_unless_it_says_otherwise():
    assert should_restart({}, {}, 0) and should_restart({}, {}, 1)
    assert not should_restart({}, {"restartPolicy": "OnFailure"}, 0)
    assert should_restart({}, {"restartPolicy": "OnFailure"}, 1)


# Which containers of a pod start, and which end (`computePodActions`, `computeInitContainerActions`)


def container(name, role, code=None, policy=None):
    made = record(name, role, code)
    del made.spec["restartPolicyRules"], made.spec["restartPolicy"]
    if policy is not None:
        made.spec["restartPolicy"] = policy
    return made


def ran(made):
    """Have a container run: in its first life, or once more."""
    made.lives += 1
    made.container, made.exited, made.started = object(), None, True
    return made


def planned(policy, *records):
    """Return the names of what starts and the messages of what ends."""
    actions = decide({"restartPolicy": policy}, records)
    assert not actions.restart_all
    return [one.name for one in actions.start], [kill.message for kill in actions.kill]


@pytest.mark.parametrize("policy", ["Always", "OnFailure"])
def test_an_init_container_that_fails_is_started_again_before_anything_else(policy):
    assert planned(policy, container("init", "init", 1), container("a", "main")) == (["init"], [])


def test_an_init_container_that_fails_for_good_ends_its_pod():
    failed = [container("init", "init", 1), container("a", "main")]
    actions = decide({"restartPolicy": "Never"}, failed)
    assert actions.over and not actions.start


def test_init_containers_do_not_run_again_for_a_pod_of_which_one_container_has_run():
    init, first, second = (
        container("init", "init"),
        ran(container("a", "main")),
        container("b", "main"),
    )
    assert planned("Always", init, first, second) == (["b"], [])


def test_a_sidecar_that_ended_starts_again_beside_what_runs_and_holds_nothing_back():
    init, side = container("init", "init", 0), container("side", "sidecar", 1, "Always")
    assert planned("Always", init, side, ran(container("a", "main"))) == (["side"], [])
    assert planned("Always", init, side, container("a", "main", 1)) == (["side", "a"], [])


@pytest.mark.parametrize("probe", ["liveness", "startup"])
def test_a_sidecar_that_a_probe_has_failed_is_replaced_whatever_the_pods_policy(probe):
    side = ran(container("side", "sidecar", None, "Always"))
    side.failed_probe = probe
    found = planned("Never", side, ran(container("a", "main")))
    assert found == (["side"], [f"Init container side failed {probe} probe"])


def test_a_containers_own_policy_says_whether_a_failed_probe_restarts_it():
    never = ran(container("a", "main", None, "Never"))
    always = ran(container("b", "main", None, "Always"))
    never.failed_probe = always.failed_probe = "liveness"
    words = "failed liveness probe"
    assert planned("Always", never) == ([], [f"Container a {words}"])
    assert planned("Never", always) == (["b"], [f"Container b {words}, will be restarted"])
    plain = ran(container("c", "main"))
    plain.failed_probe = "liveness"
    (kill,) = decide({}, [plain]).kill
    assert kill.message.endswith(", will be restarted")


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_a_container_that_must_be_made_anew_is_so_whatever_the_policy(policy):
    changed = ran(container("a", "main"))
    changed.restart_for = "Container a definition changed"
    side = ran(container("side", "sidecar", None, "Always"))
    side.restart_for = "Init container side definition changed"
    assert planned(policy, side, changed) == (
        ["side", "a"],
        [
            "Init container side definition changed",
            "Container a definition changed, will be restarted",
        ],
    )


def test_containers_that_run_are_left_alone():
    actions = decide(
        {"restartPolicy": "Never"}, [container("a", "main", 0), ran(container("b", "main"))]
    )
    assert (actions.over, actions.start, actions.kill) == (False, (), ())


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_whatever_the_policy_everything_begins_once(policy):
    init, main = container("init", "init"), container("a", "main")
    assert planned(policy, init, main) == (["init"], [])
    assert planned(policy, ran(init), main) == ([], [])
    assert planned(policy, container("init", "init", 0), main) == (["a"], [])
