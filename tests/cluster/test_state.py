"""Where state lives, on a live cluster: one pod or two, a StatefulSet, volumes, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_a_database_in_each_pod_diverges_and_one_apart_does_not(cluster: Cluster) -> None:
    recording = labs.cohabitation.measure(cluster=cluster, replicas=2, progress=Silent())
    found = labs.summarize(recording)["solutions"]
    assert (found["A"]["databases"], found["A"]["answers"]) == (2, 2)
    assert found["A"]["seen_share"] < 1 and found["A"]["lost_at_scale_down"] > 0
    assert (found["B"]["databases"], found["B"]["answers"]) == (1, 1)
    assert found["B"]["seen_share"] == 1 and found["B"]["lost_at_scale_down"] == 0


def test_a_statefulset_keeps_order_names_and_data_and_a_deployment_none(cluster: Cluster) -> None:
    recording = labs.statefulset.measure(
        ["ordered", "deployment"], cluster=cluster, replicas=2, startup_s=0, progress=Silent()
    )
    verdicts = labs.get("statefulset").to_story(recording).verdicts
    ordered = {code.removeprefix("ordered."): value for code, value in verdicts.items()}
    assert ordered["creation-order"] == "base-0 base-1" and ordered["waits"]
    assert ordered["removal-order"] == "base-1"
    assert (ordered["partitioned"], ordered["update-order"]) == ("base-1", "base-0")
    assert ordered["same-name"] and ordered["kept-notes"]
    assert not ordered["same-pod"]
    assert (ordered["claims"], ordered["back-with-notes"]) == (2, True)
    assert (ordered["dns-before-service"], ordered["dns-after-service"]) == (None, "base-1")
    assert not verdicts["deployment.same-name"]
    assert not verdicts["deployment.kept-notes"]


def test_what_survives_what(cluster: Cluster) -> None:
    found = labs.summarize(labs.volumes.measure(cluster=cluster, progress=Silent()))
    kept = {
        event: {place for place, left in places.items() if left}
        for event, places in found["survives"].items()
    }
    assert kept == {
        "container": {"emptyDir", "hostPath", "claim"},
        "pod": {"hostPath", "claim"},
        "claim": {"hostPath"},
    }
    assert found["read_only_root_refuses"] == ["root"]


def test_claims_wait_bind_and_leave_their_volume_as_its_policy_says(cluster: Cluster) -> None:
    recording = labs.storage.measure(cluster=cluster, patience_s=2, progress=Silent())
    runs = labs.summarize(recording)["runs"]
    assert runs["delete"]["claims"] == [["Pending", "Bound", "Terminating"]]
    assert runs["delete"]["survives_pod"] and runs["retain"]["survives_pod"]
    verdicts = labs.get("storage").to_story(recording).verdicts
    assert verdicts["delete.volumes"] == "Bound Released"
    assert verdicts["retain.volumes"] == "Bound Released Available Bound Released"
    assert verdicts["delete.waits-for-pod"]
    assert runs["impossible"]["claims"] == [["Pending"]]
    assert "disque-ultra-rapide" in runs["impossible"]["reason"]


def test_senseless_numbers_are_refused_before_anything_is_made(cluster: Cluster) -> None:
    with pytest.raises(UsageError, match="réplicas"):
        labs.cohabitation.measure(cluster=cluster, replicas=1)
    with pytest.raises(UsageError, match="variantes"):
        labs.statefulset.measure("ordered", cluster=cluster)
    with pytest.raises(UsageError, match="patience"):
        labs.storage.measure(cluster=cluster, patience_s=0)
