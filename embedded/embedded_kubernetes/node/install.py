"""Objects that the node's services need in the API: classes, registrations, roles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from .api import Api, ApiError

Manifest = tuple[str, dict[str, Any]]
"""Path of the collection, and the object."""

_PAUSES_S = (0.05, 2.0)
_CONFLICT = 409

_log = logging.getLogger(__name__)


async def install(api: Api, manifests: Sequence[Manifest], *, update: bool = False) -> None:
    """Create objects, trying again until the API server takes each of them.

    The node starts together with the API server, so that at first nobody answers, and then
    namespaces are missing.

    Parameters
    ----------
    api : Api
        With the rights to create them.
    manifests : sequence of Manifest
        What to create, in this order.
    update : bool
        Bring an object that is there already up to date; otherwise it is left as its user made it.
    """
    for path, manifest in manifests:
        pause_s = _PAUSES_S[0]
        while True:
            try:
                await _put(api, path, manifest, update)
                break
            except ApiError as error:
                _log.debug("%s: %s", path, error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _PAUSES_S[1])


async def _put(api: Api, path: str, manifest: dict[str, Any], update: bool) -> None:
    try:
        await api.create(path, manifest)
    except ApiError as error:
        if error.status != _CONFLICT:
            raise
        if update:
            await api.patch(f"{path}/{manifest['metadata']['name']}", manifest, kind="merge")
