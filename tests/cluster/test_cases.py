"""Each case of `tests/cases` on the embedded cluster and on kind: one expectation, written once.

All cases of a provider are begun at the same time when the first of them is asked for (`side_by_side.Lineup`); a
test waits for its own. To run one: `pytest tests/cluster/test_cases.py -k 'embedded and 08_broken_rollout'`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from side_by_side import CaseFolder, Lineup, case_folders, lineup

from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Cluster
from k8s_helpers.providers.kind import images as kind_images
from k8s_helpers.providers.kind.engine import require_engine

pytestmark = pytest.mark.timeout(900)  # the first one waits for its turn in the whole line

KIND_IMAGES = {
    "busybox:1.35": "K8S_HELPERS_BASE_IMAGE_SHELL",
    "python:3.11": "K8S_HELPERS_BASE_IMAGE_PYTHON",
    "eclipse-temurin:17": "K8S_HELPERS_BASE_IMAGE_JAVA",
}
"""Images of the cases → variable that names a local image to run under that name, where nothing can be pulled."""

FOLDERS = case_folders()


def _params(provider: str) -> list[Any]:
    marks = [pytest.mark.kind] if provider == "kind" else []
    return [
        pytest.param(folder, id=folder.name, marks=marks)
        for folder in FOLDERS
        if provider not in folder.refused
    ]


def _asked(request: pytest.FixtureRequest, provider: str) -> list[CaseFolder]:
    """Return the cases of a provider that this run has selected."""
    wanted = {
        item.callspec.params["folder"].name
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.originalname == f"test_{provider}"
        and item.path == request.path
    }
    return [folder for folder in FOLDERS if folder.name in wanted]


@pytest.fixture(scope="module")
def embedded_lineup(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Lineup]:
    yield from lineup("embedded", cluster, _asked(request, "embedded"))


@pytest.fixture(scope="module")
def kind_lineup(kind_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Lineup]:
    for image, variable in KIND_IMAGES.items():
        if local := os.environ.get(variable):
            _name_in_node(kind_cluster, local, image)
    yield from lineup("kind", kind_cluster, _asked(request, "kind"))


def _name_in_node(cluster: Cluster, local: str, image: str) -> None:
    """Give a local image, the engine's or the node's own, the name that the cases use."""
    engine = require_engine()
    node = cluster.nodes()[0]["metadata"]["name"]
    full = kind_images.reference(image)
    if engine.has_image(local):
        engine.run("tag", local, full)
        kind_images.load(engine, cluster.provider.name, node, full, Silent())
    else:
        tag = ("ctr", "--namespace", "k8s.io", "images", "tag", "--force", local, full)
        engine.run("exec", node, *tag)


@pytest.mark.parametrize("folder", _params("embedded"))
def test_embedded(embedded_lineup: Lineup, folder: CaseFolder) -> None:
    embedded_lineup.result(folder.name)


@pytest.mark.parametrize("folder", _params("kind"))
def test_kind(kind_lineup: Lineup, folder: CaseFolder) -> None:
    kind_lineup.result(folder.name)


def test_each_refusal_names_a_provider_and_gives_a_reason() -> None:
    for folder in FOLDERS:
        assert set(folder.refused) <= {"embedded", "kind"}, folder.name
        assert set(folder.refused) != {"embedded", "kind"}, f"{folder.name}: nobody runs it"
        assert all(reason.strip() for reason in folder.refused.values()), folder.name
