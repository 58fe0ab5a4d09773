"""The short names of a class's images on a live API server: rewritten in pods of the class, and nowhere else."""

from __future__ import annotations

from typing import Any

from k8s_helpers.builds import plain_names
from k8s_helpers.classroom import creation
from k8s_helpers.classroom.objects import ClassPlan, of_class
from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.kube.api import MERGE_PATCH
from k8s_helpers.kube.classes import CLASS_LABEL
from k8s_helpers.kube.waiting import wait_until

PINNED = f"r.example/course/vitrine:v1@sha256:{'0' * 64}"


def admitted(cluster: Cluster, namespace: Namespace, *images: str) -> dict[str, Any]:
    """Return a pod's spec as the server would keep it."""
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "essai"},
        "spec": {"containers": containers},
    }
    path = f"/api/v1/namespaces/{namespace.name}/pods"
    made = cluster.api.request("POST", path, body=pod, query={"dryRun": "All"})
    found: dict[str, Any] = made["spec"]
    return found


def test_pods_of_a_class_run_the_pinned_image_by_its_short_name(cluster: Cluster) -> None:
    plan = ClassPlan("noms", (), 1, images={"vitrine:v1": PINNED}, network=False)
    plan = creation.surveyed(cluster.api, plan)
    assert plan.plain_names
    of_names = [item["kind"] for item in of_class(plan) if item["kind"].startswith("Mutating")]
    made = plain_names.policy("noms", plan.images, pull_secret=True)
    assert of_names == [item["kind"] for item in made]
    apply = creation.applier(cluster.api)
    with cluster.namespace("noms-un") as ours, cluster.namespace("noms-deux") as other:
        patch = {"metadata": {"labels": {CLASS_LABEL: "noms"}}}
        cluster.api.request(
            "PATCH",
            f"/api/v1/namespaces/{ours.name}",
            body=patch,
            content_type=MERGE_PATCH,
        )
        try:
            for item in made:
                apply(item)
            spec = wait_until(
                lambda: admitted(cluster, ours, "nginx:1", "vitrine:v1"),
                30,
                done=lambda spec: spec["containers"][1]["image"] == PINNED,
                every_s=0.1,
            )
            assert [item["image"] for item in spec["containers"]] == ["nginx:1", PINNED]
            assert spec["imagePullSecrets"] == [{"name": "k8s-helpers-pull"}]
            (container,) = admitted(cluster, other, "vitrine:v1")["containers"]
            assert container["image"] == "vitrine:v1"
        finally:
            for item, resource in zip(made, plain_names.RESOURCES, strict=True):
                name = item["metadata"]["name"]
                cluster.api.request("DELETE", f"/apis/{plain_names.API_VERSION}/{resource}/{name}")
