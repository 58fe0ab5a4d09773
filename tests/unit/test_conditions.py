"""What the state of an object means."""

from __future__ import annotations

import pytest

from k8s_helpers.cluster.conditions import rollout_failed

GIVEN_UP = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "has timed out progressing",
}


@pytest.mark.parametrize(
    ("observed", "conditions", "failure"),
    [
        (3, [GIVEN_UP], "has timed out progressing"),
        (2, [GIVEN_UP], None),  # it is about the template before
        (3, [{**GIVEN_UP, "status": "True", "reason": "ReplicaSetUpdated"}], None),
        (3, [], None),
    ],
)
def test_a_rollout_has_failed_where_its_own_generation_has(
    observed: int, conditions: list[dict[str, str]], failure: str | None
) -> None:
    deployment = {
        "metadata": {"generation": 3},
        "status": {"observedGeneration": observed, "conditions": conditions},
    }
    assert rollout_failed(deployment) == failure
