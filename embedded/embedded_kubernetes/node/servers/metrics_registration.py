"""Makes metrics.k8s.io known to the API server: Service, APIService and the role that reads it."""

from __future__ import annotations

from ..install import Manifest

API_GROUP = "metrics.k8s.io"
API_VERSION = "v1beta1"
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
    api_service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{API_VERSION}.{API_GROUP}"},
        "spec": {
            "group": API_GROUP,
            "version": API_VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": ca_bundle,
            "service": {"namespace": SERVICE_NAMESPACE, "name": SERVICE_NAME, "port": port},
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
        ("/apis/apiregistration.k8s.io/v1/apiservices", api_service),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", reader),
    ]
