"""Makes metrics.k8s.io known to the API server: Service, APIServices and the role that reads it."""

from __future__ import annotations

from typing import Any

from ..install import Manifest

API_GROUP = "metrics.k8s.io"
API_VERSIONS = ("v1", "v1beta1")
"""The preferred one first."""
SERVICE_NAMESPACE = "kube-system"
SERVICE_NAME = "metrics-server"
"""The serving certificate names `metrics-server.kube-system.svc`."""


def manifests(port: int, ca_bundle: str) -> list[Manifest]:
    """Return the objects with the path of their collections.

    Parameters
    ----------
    port : int
        Where the metrics API listens on 127.0.0.1.
    ca_bundle : str
        Base64 of the authority of its certificate.
    """
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE_NAME, "namespace": SERVICE_NAMESPACE},
        # The API server connects to this name itself, on the port that the APIService gives.
        "spec": {
            "type": "ExternalName",
            "externalName": "localhost",
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        },
    }
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": "system:aggregated-metrics-reader",
            "labels": {
                f"rbac.authorization.k8s.io/aggregate-to-{role}": "true"
                for role in ("view", "edit", "admin")
            },
        },
        "rules": [
            {
                "apiGroups": [API_GROUP],
                "resources": ["pods", "nodes"],
                "verbs": ["get", "list", "watch"],
            }
        ],
    }
    return [
        (f"/api/v1/namespaces/{SERVICE_NAMESPACE}/services", service),
        *(
            ("/apis/apiregistration.k8s.io/v1/apiservices", _api_service(version, port, ca_bundle))
            for version in API_VERSIONS
        ),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", reader),
    ]


def _api_service(version: str, port: int, ca_bundle: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{version}.{API_GROUP}"},
        "spec": {
            "group": API_GROUP,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 100 * (len(API_VERSIONS) - API_VERSIONS.index(version)),
            "caBundle": ca_bundle,
            "service": {"namespace": SERVICE_NAMESPACE, "name": SERVICE_NAME, "port": port},
        },
    }
