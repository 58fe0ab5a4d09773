"""Certificates for pods (`podCertificate` of a projected volume): a key of the node's, a request, what a signer issues.

Keys live in this process and in the volumes, so that a node that starts again asks for new ones.
(source: `pkg/kubelet/podcertificate/podcertificatemanager.go`)
"""

from __future__ import annotations

import asyncio
import base64
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..api import Api, ApiError
from ..records import Object
from ..wall import seconds

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_JITTER_S = 300.0
"""By how much at most a renewal may be later than its signer says, so that not all pods ask at once."""
_LOOK_S = 60.0
"""How often a renewal that is under way is looked at."""


class NotIssuedError(Exception):
    """There is no certificate, or not yet; the words are the event's."""


@dataclass(frozen=True)
class Credential:
    """A key and its certificate chain (PEM), and when to look for newer ones (wall clock)."""

    key: str
    chain: str
    renew_wall_s: float


@dataclass(frozen=True)
class _Request:
    """A request whose answer is awaited, and the key that it is for (PEM)."""

    path: str
    key: str


_Place = tuple[str, str, int]
"""Pod's uid, volume, index of the source in it."""


class PodCertificates:
    """Asks for certificates and keeps them.

    Parameters
    ----------
    api : Api
        With the node's own identity.
    node : callable
        Returns the node as events refer to it.
    """

    def __init__(self, api: Api, node: Callable[[], Object]) -> None:
        self._api = api
        self._node = node
        self._requests: dict[_Place, _Request] = {}
        self._issued: dict[_Place, Credential] = {}

    async def get(self, pod: Object, volume: str, index: int, source: Object) -> Credential:
        """Return what a `podCertificate` source stands for.

        Parameters
        ----------
        pod : dict
            The pod.
        volume : str
            Name of the volume.
        index : int
            Of the source among the volume's.
        source : dict
            The source.

        Raises
        ------
        NotIssuedError
            The signer has not answered yet, or has refused.
        ApiError
            The API does not answer, or does not let this node ask.
        """
        place = (pod["metadata"]["uid"], volume, index)
        known = self._issued.get(place)
        if known is not None and time.time() < known.renew_wall_s:
            return known
        if place not in self._requests:
            self._requests[place] = await self._ask(pod, source)
        try:
            answer = await self._answer(place)
        except NotIssuedError:
            if known is None:
                raise
            answer = replace(known, renew_wall_s=time.time() + _LOOK_S)
        self._issued[place] = answer
        return answer

    def forget(self, uid: str) -> None:
        """Drop the keys of a pod that is gone."""
        for known in (self._requests, self._issued):
            for place in [place for place in known if place[0] == uid]:
                del known[place]

    async def _ask(self, pod: Object, source: Object) -> _Request:
        meta, spec = pod["metadata"], pod["spec"]
        namespace, account = meta["namespace"], spec.get("serviceAccountName") or "default"
        base = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}"
        account_uid = (await self._api.get(base))["metadata"]["uid"]
        key, stub = await asyncio.to_thread(new_key, source["keyType"])
        node = self._node()["metadata"]
        asked: Object = {
            "signerName": source["signerName"],
            "podName": meta["name"],
            "podUID": meta["uid"],
            "serviceAccountName": account,
            "serviceAccountUID": account_uid,
            "nodeName": node["name"],
            "nodeUID": node["uid"],
            "stubPKCS10Request": base64.b64encode(stub).decode(),
        }
        for given, taken in (
            ("maxExpirationSeconds", "maxExpirationSeconds"),
            ("userAnnotations", "unverifiedUserAnnotations"),
        ):
            if source.get(given):
                asked[taken] = source[given]
        owner = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
        path = f"/apis/certificates.k8s.io/v1/namespaces/{namespace}/podcertificaterequests"
        made = await self._api.create(
            path,
            {
                "apiVersion": "certificates.k8s.io/v1",
                "kind": "PodCertificateRequest",
                "metadata": {"generateName": "req-", "ownerReferences": [owner]},
                "spec": asked,
            },
        )
        return _Request(f"{path}/{made['metadata']['name']}", key)

    async def _answer(self, place: _Place) -> Credential:
        """Return what a signer has issued; a refusal stays, a request that is gone is forgotten."""
        request = self._requests[place]
        try:
            status = (await self._api.get(request.path)).get("status") or {}
        except ApiError as error:
            if error.status == 404:
                del self._requests[place]
            raise
        credential = issued(request.key, status)
        del self._requests[place]
        return credential


def issued(key: str, status: Object) -> Credential:
    """Return the credential that a request's status carries.

    Raises
    ------
    NotIssuedError
        It carries none.
    """
    for condition in status.get("conditions") or ():
        if condition["type"] == "Issued":
            chain = "".join(f"{block}\n" for block in _BLOCK.findall(status["certificateChain"]))
            renew_wall_s = seconds(status["beginRefreshAt"]) + random.uniform(0, _JITTER_S)
            return Credential(key, chain, renew_wall_s)
        if condition["type"] in ("Denied", "Failed"):
            words = (
                f'reason="{condition.get("reason", "")}" message="{condition.get("message", "")}"'
            )
            raise NotIssuedError(
                f"PodCertificateRequest was permanently {condition['type'].lower()}: {words}"
            )
    raise NotIssuedError("credential bundle is not issued yet")


def new_key(kind: str) -> tuple[str, bytes]:
    """Return a new private key (PEM, PKCS#8) and a request without content that proves it (PKCS#10, DER).

    Parameters
    ----------
    kind : str
        `RSA3072`, `RSA4096`, `ECDSAP256`, `ECDSAP384`, `ECDSAP521` or `ED25519`.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves = {
        "ECDSAP256": ec.SECP256R1(),
        "ECDSAP384": ec.SECP384R1(),
        "ECDSAP521": ec.SECP521R1(),
    }
    key: CertificateIssuerPrivateKeyTypes
    if kind in curves:
        key = ec.generate_private_key(curves[kind])
    elif kind == "ED25519":
        key = ed25519.Ed25519PrivateKey.generate()
    elif kind in ("RSA3072", "RSA4096"):
        key = rsa.generate_private_key(
            public_exponent=65537, key_size=int(kind.removeprefix("RSA"))
        )
    else:
        raise NotIssuedError(f'unknown key type "{kind}"')
    digest = None if kind == "ED25519" else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, digest)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode(), request.public_bytes(serialization.Encoding.DER)
