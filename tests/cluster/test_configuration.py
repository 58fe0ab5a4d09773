"""Configuration, secrets and what isolates whom, on a live cluster."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from k8s_helpers import _paths, labs
from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.analysis import attempt
from k8s_helpers.cluster import admission
from k8s_helpers.kube import manifests
from k8s_helpers.labs.canary import summarize as canary_summary
from k8s_helpers.labs.configuration import summarize as configuration_summary

FORBIDDEN = (
    _paths.COURSE / "notebooks" / "manifests" / "15_pour_aller_plus_loin" / "pod-privilegie.yaml"
)

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace
    from k8s_helpers.measure.recording import Run


def _answers(run: Run) -> dict[tuple[str, str], str]:
    return {(one.who, one.what): one.answer for one in run.attempts}


def test_a_mounted_file_follows_and_the_environment_does_not(cluster: Cluster) -> None:
    recording = labs.configuration.measure(cluster=cluster, watch_s=2, progress=Silent())
    found = configuration_summary(recording.runs[0])
    followed = {one.way: one.followed_s is not None for one in found.ways}
    assert followed == {"env": False, "file": True, "subpath": False}
    assert found.way("env").restarted_s is not None and found.way("subpath").restarted_s is not None
    with pytest.raises(UsageError):
        labs.configuration.measure(cluster=cluster, watch_s=0)


def test_who_can_read_a_secret(cluster: Cluster) -> None:
    (run,) = labs.secrets.measure(cluster=cluster, progress=Silent()).runs
    refused = attempt(run, "account-without-rights", "get-secret")
    assert (refused.ok, refused.answer) == (False, "403") and "curieux" in refused.detail
    assert [one.answer for one in run.attempts] == [
        "read",
        "403",
        "read",
        "403",
        "403",
        "read",
        "plaintext",
    ]


def _encrypted(cluster: Cluster, namespace: Namespace) -> bool:
    raw = cluster.provider.read_etcd(f"/registry/secrets/{namespace.name}/temoin")
    assert raw is not None
    return raw.startswith(b"k8s:enc:")


def test_encryption_at_rest_comes_and_goes(cluster: Cluster, namespace: Namespace) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "temoin"},
        "stringData": {"a": "b"},
    }
    namespace.apply(secret)
    (run,) = labs.encryption_at_rest.measure(cluster=cluster, progress=Silent()).runs
    kept = [one.answer for one in run.attempts if one.what == "look-into-etcd"]
    assert kept == ["plaintext", "plaintext", "encrypted", "plaintext"]
    assert all(one.answer == "read" for one in run.attempts if one.what == "get-secret")
    assert cluster.provider.encryption() is None and not _encrypted(cluster, namespace)


def test_an_interrupted_encryption_leaves_the_cluster_as_it_was(
    cluster: Cluster, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "temoin"},
            "stringData": {"a": "b"},
        }
    )
    looked: list[bool] = []

    def look(*_: object) -> None:
        looked.append(_encrypted(cluster, namespace))
        if looked[-1]:
            raise KeyboardInterrupt

    # The package has the function under the name of its module.
    module = sys.modules["k8s_helpers.labs.encryption_at_rest.experiment"]
    monkeypatch.setattr(module, "_look", look)
    with pytest.raises(KeyboardInterrupt):
        labs.encryption_at_rest.measure(cluster=cluster, progress=Silent())
    assert looked == [False, False, True]
    assert cluster.provider.encryption() is None and not _encrypted(cluster, namespace)


def test_an_ingress_routes_by_host_and_by_path(cluster: Cluster) -> None:
    recording = labs.ingress.measure(cluster=cluster, progress=Silent())
    hosts, paths, nobody = (_answers(run) for run in recording.runs)
    assert list(hosts.values()) == ["address", "boutique", "blog", "404"]
    assert list(paths.values()) == ["address", "boutique", "blog", "boutique"]
    assert list(nobody.values()) == ["no-address", "404"]


def test_a_service_is_found_by_its_name_and_by_variables_of_later_pods(cluster: Cluster) -> None:
    (run,) = labs.discovery.measure(cluster=cluster, progress=Silent()).runs
    variables = [one.answer for one in run.attempts if one.what == "variable"]
    assert variables == ["absent", "present", "absent"]
    assert {one.answer for one in run.attempts if "name" in one.what} == {"v1"}


def test_a_namespace_isolates_names_and_not_traffic(cluster: Cluster) -> None:
    (run,) = labs.namespaces.measure(cluster=cluster, progress=Silent()).runs
    assert [one.answer for one in run.attempts] == [
        "v1",
        "v2",
        "v2",
        "listed",
        "403",
        "403",
        "created",
    ]


def test_a_policy_needs_someone_to_enforce_it(cluster: Cluster) -> None:
    (run,) = labs.network_policy.measure(cluster=cluster, settle_s=1, progress=Silent()).runs
    after = (
        "blocked"
        if shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        else "answered"
    )
    assert [one.answer for one in run.attempts] == ["answered", "created", after]


def test_pod_security_refuses_what_its_level_says(cluster: Cluster) -> None:
    (run,) = labs.pod_security.measure(cluster=cluster, progress=Silent()).runs
    answers = _answers(run)
    assert answers["enforce: baseline", "privileged-pod"] == "refused"
    assert answers["enforce: baseline", "ordinary-pod"] == "accepted"
    assert answers["warn: restricted", "ordinary-pod"] == "warned"
    assert answers["enforce: restricted", "hardened-pod"] == "accepted"
    assert answers["replica-set", "pod-of-deployment"] == "no-pod"
    refused = attempt(run, "enforce: restricted", "privileged-pod")
    assert "securityContext.privileged=true" in refused.detail


def test_levels_hold_as_soon_as_they_are_given(namespace: Namespace, cluster: Cluster) -> None:
    (pod,) = manifests.read(FORBIDDEN)
    for levels, taken, words in (
        ({"enforce": "restricted"}, False, "PodSecurity"),
        ({"warn": "baseline"}, True, "PodSecurity"),
        ({}, True, ""),
    ):
        admission.set_levels(cluster.api, namespace.name, **levels)
        found, said = admission.judge(cluster.api, namespace.name, pod.object)
        assert found == taken and words in said and bool(said) == bool(words)


def test_a_canary_gets_the_share_of_its_pods(cluster: Cluster) -> None:
    recording = labs.canary.measure([(3, 1)], cluster=cluster, requests=400, progress=Silent())
    found = canary_summary(recording.runs[0])
    assert found.failed == 0 and found.answered >= 390
    assert found.as_expected, found
    with pytest.raises(UsageError):
        labs.canary.measure([(20, 1)], cluster=cluster)
