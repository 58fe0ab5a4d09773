"""Certificates out of ClusterTrustBundles, by name or by signer.

(source: `pkg/kubelet/clustertrustbundle/clustertrustbundle_manager.go`)
"""

from __future__ import annotations

import re

from ..api import Api, ApiError
from ..records import Object

_BUNDLES = "/apis/certificates.k8s.io/v1/clustertrustbundles"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


async def trust_anchors(api: Api, source: Object) -> str | None:
    """Return the certificates that a projected `clusterTrustBundle` stands for; None where no bundle is there.

    Raises
    ------
    ApiError
        The API does not answer, or does not let this node read them.
    """
    if source.get("name"):
        try:
            bundles = [await api.get(f"{_BUNDLES}/{source['name']}")]
        except ApiError as error:
            if error.status != 404:
                raise
            return None
    else:
        bundles = [
            bundle
            for bundle in (await api.list(_BUNDLES)).get("items") or ()
            if bundle["spec"].get("signerName") == source.get("signerName")
            and _selected(source.get("labelSelector"), bundle["metadata"].get("labels") or {})
        ]
    anchors = {
        certificate.strip() + "\n"
        for bundle in bundles
        for certificate in _CERTIFICATE.findall(bundle["spec"]["trustBundle"])
    }
    return "".join(sorted(anchors)) if bundles else None


def _selected(selector: Object | None, labels: Object) -> bool:
    """Return whether a label selector chooses labels: no selector chooses nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(
        _satisfied(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _satisfied(expression: Object, labels: Object) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
