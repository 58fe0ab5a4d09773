"""A bad version and the way back, on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import rollouts
from k8s_helpers.labs.rollback import summarize as rollback_summary

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace

NOBODY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "vide", "annotations": {"kubernetes.io/change-cause": "premier"}},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "vide"}},
        "template": {
            "metadata": {"labels": {"app": "vide"}},
            "spec": {"containers": [{"name": "c", "image": "c:1"}]},
        },
    },
}


def test_a_crash_hurts_nobody_and_a_missing_probe_everybody(cluster: Cluster) -> None:
    recording = labs.rollback.measure(
        ["crash", "no-probe"], cluster=cluster, replicas=1, bad_s=6, progress=Silent()
    )
    crash, blind = (rollback_summary(run) for run in recording.runs)
    assert (crash.failed, crash.bad_ready, crash.old_left) == (0, 0, 0)
    assert blind.failed > 0 and (blind.bad_ready, blind.old_left) == (1, 1)
    assert crash.back_s is not None and blind.back_s is not None
    assert crash.revisions == blind.revisions == (2, 3)


def test_undo_goes_back_to_the_revision_that_is_asked_for(namespace: Namespace) -> None:
    namespace.apply(NOBODY)
    namespace.wait_rollout("vide")
    with pytest.raises(UsageError, match="révisions : 1"):
        rollouts.undo(namespace, "vide")
    for tag in ("2", "3"):
        template = {"spec": {"containers": [{"name": "c", "image": f"c:{tag}"}]}}
        notes = {"kubernetes.io/change-cause": f"image {tag}"}
        namespace.patch(
            "deployment",
            "vide",
            {"metadata": {"annotations": notes}, "spec": {"template": template}},
        )
        namespace.wait_rollout("vide")
    assert rollouts.undo(namespace, "vide", 1).number == 1
    namespace.wait_rollout("vide")
    found = rollouts.history(namespace, "vide")
    assert [(one.number, one.cause, one.image) for one in found] == [
        (2, "image 2", "c:2"),
        (3, "image 3", "c:3"),
        (4, "premier", "c:1"),
    ]
