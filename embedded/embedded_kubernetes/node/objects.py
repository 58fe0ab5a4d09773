"""ConfigMaps and Secrets as the node knows them: watched, so that pods start without asking and see changes.

A kubelet watches just the objects that its pods use; this node watches all of them with two connections.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from .api import Api, ApiError, Informer
from .records import Object

_RESOURCES = ("configmaps", "secrets")


class Objects:
    """The store.

    Parameters
    ----------
    api : Api
        With the rights to read ConfigMaps and Secrets everywhere.
    on_change : callable
        Called with (resource, namespace, name) of what appeared, changed or vanished.
    """

    def __init__(self, api: Api, on_change: Callable[[str, str, str], None]) -> None:
        self._api = api
        self._on_change = on_change
        self._informers = {
            resource: Informer(
                api, f"/api/v1/{resource}", on_change=functools.partial(self._changed, resource)
            )
            for resource in _RESOURCES
        }

    async def start(self) -> None:
        """Begin to watch."""
        for informer in self._informers.values():
            await informer.start()

    async def close(self) -> None:
        """Stop watching."""
        for informer in self._informers.values():
            await informer.close()

    async def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None where there is none.

        What the watch has not brought yet is asked for: it may have been made just before the pod.

        Raises
        ------
        ApiError
            No answer.
        """
        informer = self._informers[resource]
        await informer.synced()
        known = informer.items.get((namespace, name))
        if known is not None:
            return known
        try:
            return await self._api.get(f"/api/v1/namespaces/{namespace}/{resource}/{name}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _changed(self, resource: str, kind: str, item: Object) -> None:
        meta = item["metadata"]
        self._on_change(resource, meta["namespace"], meta["name"])
