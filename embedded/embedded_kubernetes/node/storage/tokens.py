"""Service account tokens for pods, by TokenRequest, kept until four fifths of their life.

(source: `pkg/kubelet/token/token_manager.go`)
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from ..api import Api, ApiError
from ..records import Object
from ..wall import seconds

_RENEW_AT = 0.8
_LONGEST_S = 24 * 3600.0
_AUTHORISER_PAUSES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""The node authorizer learns of a pod's binding a moment after the node itself does."""


@dataclass(frozen=True)
class Token:
    """A token and when it should be replaced (wall clock)."""

    text: str
    renew_wall_s: float


class Tokens:
    """Asks for tokens.

    Parameters
    ----------
    api : Api
        With the node's own identity.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tokens: dict[tuple[str, str, int], Token] = {}

    async def get(self, pod: Object, audience: str, expiration_s: int) -> Token:
        """Return a token of the pod's service account, bound to the pod.

        Raises
        ------
        ApiError
            The API server refuses it.
        """
        key = (pod["metadata"]["uid"], audience, expiration_s)
        token = self._tokens.get(key)
        if token is None or time.time() >= token.renew_wall_s:
            token = self._tokens[key] = await self._request(pod, audience, expiration_s)
        return token

    def forget(self, uid: str) -> None:
        """Drop the tokens of a pod that is gone."""
        for key in [key for key in self._tokens if key[0] == uid]:
            del self._tokens[key]

    async def _request(self, pod: Object, audience: str, expiration_s: int) -> Token:
        meta = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        path = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": expiration_s,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": meta["name"],
                    "uid": meta["uid"],
                },
            },
        }
        for pause_s in _AUTHORISER_PAUSES_S:
            try:
                answer = await self._api.create(path, body)
                break
            except ApiError as error:
                if error.status != 403:
                    raise
            await asyncio.sleep(pause_s)
        else:
            answer = await self._api.create(path, body)
        status = answer["status"]
        now = time.time()
        life_s = seconds(status["expirationTimestamp"]) - now
        return Token(status["token"], now + min(life_s * _RENEW_AT, _LONGEST_S))
