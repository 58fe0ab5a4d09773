"""The slow Spring Boot program in pods: its image builds, and readiness comes when its delay is over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from live import eventually

from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.kube.http import get

DELAY_S = 2

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: lent}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: lent}}}}
  template:
    metadata: {{labels: {{app: lent}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: lent
        image: "{image}"
        env:
        - {{name: DELAY_SECONDS, value: "{delay_s}"}}
        - name: POD_NAME
          valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
        readinessProbe:
          httpGet: {{path: /actuator/health/readiness, port: 8080}}
          periodSeconds: 1
          failureThreshold: 100
---
apiVersion: v1
kind: Service
metadata: {{name: lent}}
spec:
  type: NodePort
  selector: {{app: lent}}
  ports: [{{port: 80, targetPort: 8080}}]
"""


def journal(namespace: Namespace, pod: str) -> list[dict[str, Any]]:
    """Return the JSON lines of a pod's log."""
    lines = namespace.logs(pod).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def show(namespace: Namespace, image: images.SpringImage, version: str) -> None:
    namespace.apply(APP.format(image=image.ref, delay_s=DELAY_S))
    namespace.wait_rollout("lent", timeout_s=240)
    (pod,) = namespace.list("pods")
    name = pod["metadata"]["name"]
    eventually(lambda: [line for line in journal(namespace, name) if line.get("status") == 200])
    lines = journal(namespace, name)
    first = {line["event"]: line["at"] for line in reversed(lines)}
    assert first["starting"] <= first["listening"] < first["delay over"]
    assert first["delay over"] - first["listening"] >= DELAY_S - 0.1
    probes = [line for line in lines if line["event"] == "probe"]
    assert probes[0]["status"] == 503 or probes[0]["at"] >= first["delay over"]
    assert all(line["at"] >= first["delay over"] for line in probes if line["status"] == 200)
    answer = get(namespace.service_url("lent"), timeout_s=30)
    assert (answer.version, answer.pod) == (version, name)


def test_the_program_gets_ready_after_its_delay(cluster: Cluster, namespace: Namespace) -> None:
    image = images.spring(cluster, "v2", Silent())
    assert image.ref.endswith("demarrage_lent:v2") == image.real, image.reason
    show(namespace, image, "v2")


def test_the_stand_in_says_so(
    cluster: Cluster, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_HELPERS_SPRING", "standin")
    image = images.spring(cluster, "v1", Silent())
    assert not image.real and "Python" in image.reason and "standin" in image.reason
    show(namespace, image, "v1")


def test_another_wish_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_SPRING", "quarkus")
    with pytest.raises(UsageError, match="quarkus"):
        images.spring(cluster, "v1", Silent())


def test_the_program_gets_ready_on_kind(kind_cluster: Cluster, kind_namespace: Namespace) -> None:
    image = images.spring(kind_cluster, "v1", Silent())
    show(kind_namespace, image, "v1")
