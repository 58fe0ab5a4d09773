"""Rules that restart one container of a pod, or all of them."""

import pytest

from k8s_helpers.embedded.node.conditions import restarting_all
from k8s_helpers.embedded.node.decisions import (
    decide,
    may_restart_all,
    restarts_all,
    should_restart,
)
from k8s_helpers.embedded.node.records import RESTARTING_ALL, Record

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
