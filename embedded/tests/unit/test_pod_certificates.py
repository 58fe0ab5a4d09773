"""Certificates for pods: what is asked of the API, and when again."""

import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from embedded_kubernetes.node.api import ApiError
from embedded_kubernetes.node.storage.pod_certificates import (
    NotIssuedError,
    PodCertificates,
    issued,
    new_key,
)
from embedded_kubernetes.node.wall import timestamp

POD = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
    "spec": {"serviceAccountName": "keeper", "containers": []},
}
SOURCE = {
    "signerName": "example.com/spiffe",
    "keyType": "ED25519",
    "maxExpirationSeconds": 3600,
    "userAnnotations": {"path": "/a"},
}
CHAIN = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"


class Signer:
    """An API in which a request has the status that the test gives it."""

    def __init__(self):
        self.asked = []
        self.status = {}

    async def get(self, path):
        if "/serviceaccounts/" in path:
            return {"metadata": {"uid": "account"}}
        if self.status is None:
            raise ApiError(404, "NotFound", "gone")
        return {"status": self.status}

    async def create(self, path, body):
        self.asked.append((path, body))
        return {"metadata": {"name": f"req-{len(self.asked)}"}}

    def issue(self, chain=CHAIN, renew_in_s=3000.0):
        self.status = {
            "conditions": [{"type": "Issued", "status": "True"}],
            "certificateChain": f"comment\n{chain}",
            "beginRefreshAt": timestamp(time.time() + renew_in_s),
        }


def certificates(signer):
    node = {"metadata": {"name": "node-1", "uid": "node"}}
    return PodCertificates(signer, lambda: node)


async def test_a_request_names_pod_account_and_node_and_is_made_once():
    signer = Signer()
    store = certificates(signer)
    for _ in range(2):
        with pytest.raises(NotIssuedError, match="not issued yet"):
            await store.get(POD, "tls", 0, SOURCE)
    ((path, body),) = signer.asked
    assert path.endswith("/namespaces/shop/podcertificaterequests")
    assert body["metadata"]["ownerReferences"][0]["uid"] == "u"
    spec = body["spec"]
    assert spec.pop("stubPKCS10Request")
    assert spec == {
        "signerName": "example.com/spiffe",
        "podName": "web",
        "podUID": "u",
        "serviceAccountName": "keeper",
        "serviceAccountUID": "account",
        "nodeName": "node-1",
        "nodeUID": "node",
        "maxExpirationSeconds": 3600,
        "unverifiedUserAnnotations": {"path": "/a"},
    }
    signer.issue()
    credential = await store.get(POD, "tls", 0, SOURCE)
    assert credential.chain == CHAIN
    assert "PRIVATE KEY" in credential.key
    assert await store.get(POD, "tls", 0, SOURCE) == credential


async def test_until_a_renewal_is_there_the_old_certificate_stays():
    signer = Signer()
    store = certificates(signer)
    signer.issue(renew_in_s=-301.0)
    first = await store.get(POD, "tls", 0, SOURCE)
    signer.status = {}
    waiting = await store.get(POD, "tls", 0, SOURCE)
    assert (waiting.key, waiting.chain) == (first.key, first.chain)
    assert len(signer.asked) == 2
    assert waiting.renew_wall_s > time.time() + 30


async def test_a_request_that_is_gone_is_made_anew():
    signer = Signer()
    store = certificates(signer)
    signer.status = None
    with pytest.raises(ApiError):
        await store.get(POD, "tls", 0, SOURCE)
    signer.issue()
    await store.get(POD, "tls", 0, SOURCE)
    assert len(signer.asked) == 2


def test_a_refusal_says_why():
    denied = {"conditions": [{"type": "Denied", "reason": "NoSuchPath", "message": "no"}]}
    with pytest.raises(NotIssuedError, match=r'permanently denied: reason="NoSuchPath"'):
        issued("key", denied)


@pytest.mark.parametrize("kind", ["ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072"])
def test_a_request_is_signed_by_its_key(kind):
    pem, stub = new_key(kind)
    request = x509.load_der_x509_csr(stub)
    assert request.is_signature_valid
    key = load_pem_private_key(pem.encode(), None)
    assert request.public_key() == key.public_key()
    assert list(request.subject) == []
