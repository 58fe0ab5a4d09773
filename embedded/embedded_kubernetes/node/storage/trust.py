"""Certificates out of ClusterTrustBundles, by name or by signer.

(source: `pkg/kubelet/clustertrustbundle/clustertrustbundle_manager.go`)
"""

from __future__ import annotations

import re

from ...selectors import label_selector_matches
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
        selector = source.get("labelSelector")
        bundles = [
            bundle
            for bundle in (await api.list(_BUNDLES)).get("items") or ()
            if bundle["spec"].get("signerName") == source.get("signerName")
            # No selector chooses nothing, an empty one everything.
            and selector is not None
            and label_selector_matches(selector, bundle["metadata"].get("labels") or {})
        ]
    anchors = {
        certificate.strip() + "\n"
        for bundle in bundles
        for certificate in _CERTIFICATE.findall(bundle["spec"]["trustBundle"])
    }
    return "".join(sorted(anchors)) if bundles else None
