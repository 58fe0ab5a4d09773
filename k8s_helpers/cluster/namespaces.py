"""A namespace of the course: everything a notebook does happens in one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from embedded_kubernetes.processes import Completed

from .._errors import ApiRefusedError, K8sHelpersError, ManifestError
from .._interruption import stoppable_class
from ..kube import manifests
from ..kube.api import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiSession, require_name
from ..kube.discovery import Kinds
from ..kube.http import ServiceAddress
from ..kube.refusals import ignoring
from ..providers.base import Provider
from . import addresses, applying, conditions, contexts
from .conditions import Test, test_of
from .ownership import Supply
from .sentinel import Sentinel

DELETE_TIMEOUT_S = 60.0
CREATE_TIMEOUT_S = 90.0
"""Once the API server was away, the controllers wait up to twice 30 s before they look at it again.

Source: https://github.com/kubernetes/client-go/blob/master/tools/cache/reflector.go
"""

Objects = list[dict[str, Any]]
"""Objects of the API; a name of its own, as the class has a method `list`."""


@stoppable_class
class Namespace:
    """A namespace, made on entry and deleted on exit; nothing is done before.

    Parameters
    ----------
    api, kinds, provider
        Of its cluster.
    supply : Supply
        Where the cluster's namespaces come from.
    name : str
        As the student says it.

    Attributes
    ----------
    asked : str
        The name that the student says.

    Raises
    ------
    UsageError
        An empty name, or one that can be none.
    """

    def __init__(
        self, api: ApiSession, kinds: Kinds, provider: Provider, supply: Supply, name: str
    ) -> None:
        self.asked = require_name(name, "un espace de noms")
        self._name: str | None = None
        self._api = api
        self._kinds = kinds
        self._provider = provider
        self._supply = supply

    @property
    def name(self) -> str:
        """The real name: the provider's prefix, then `asked`; in a class, that of the given one that holds `asked`.

        Raises
        ------
        ApiRefusedError
            In a class, before `create`: none holds it.
        """
        if self._name is None:
            self._name = self._supply.find(self.asked)
        if self._name is None:
            raise ApiRefusedError(
                f"Trouver l’espace de noms « {self.asked} »",
                "aucun de vos espaces de noms ne porte ce nom : il n’a pas été créé, ou a été rendu depuis",
                "Créez-le : « with cluster.namespace(…) », ou « .create() ».",
            )
        return self._name

    def __repr__(self) -> str:
        return f"<Namespace {self._name or self.asked}>"

    def __enter__(self) -> Namespace:
        try:
            return self.create(passing=True)
        except BaseException:  # it may have been made already: nobody else will delete it
            with contextlib.suppress(K8sHelpersError):
                self.delete(timeout_s=0)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What went wrong inside is the news; that the namespace lingers because of it is not.
        with contextlib.suppress(*((K8sHelpersError,) if kind is not None else ())):
            self.delete()

    # --- its own life

    def create(self, timeout_s: float = CREATE_TIMEOUT_S, *, passing: bool = False) -> Namespace:
        """Make the namespace, or take over one that the course has made; return it ready for pods.

        In a class, one of those that the student was given is taken, emptied.

        Parameters
        ----------
        timeout_s : float
            Longest wait.
        passing : bool
            It is not to outlive this process: where the process is killed, the next `connect` deletes it.

        Raises
        ------
        ApiRefusedError
            It exists and is not the course's, or we may not make any; in a class, none is free.
        WaitTimeoutError
            An older one of this name does not go away, or no controller gives it its ServiceAccount.
        """
        self._name = self._supply.take(self.asked, timeout_s, passing=passing)
        return self

    def delete(self, grace_s: float = 1.0, timeout_s: float = DELETE_TIMEOUT_S) -> None:
        """Delete the namespace with all in it, and wait until it is gone; in a class, empty it and give it back.

        Parameters
        ----------
        grace_s : float
            Time that its pods get to stop, whatever their manifests say.
        timeout_s : float
            Longest wait; 0 does not wait: the namespace goes away by itself, in about 6 s.

        Raises
        ------
        ApiRefusedError
            It is not the course's.
        WaitTimeoutError
            Says what holds it back.
        """
        self._name = None
        self._supply.give_back(self.asked, grace_s, timeout_s)

    def metadata(self) -> dict[str, Any] | None:
        """Return `name`, `annotations` and `creationTimestamp` of the namespace; None where it is not there.

        In a class the annotations are those of its Lease, and it is as old as its present use.
        """
        return self._supply.metadata(self.asked)

    def annotate(self, annotations: Mapping[str, str]) -> None:
        """Note something of the namespace that lasts until it is deleted.

        Raises
        ------
        ApiRefusedError
            It is not there.
        """
        self._supply.annotate(self.asked, annotations)

    def use(self) -> None:
        """Make plain `kubectl` look here: in this notebook's `!` and `%%bash` cells, and in terminals.

        Another notebook's cells go on looking where that one has said. The cluster's own kubeconfig, which terminals
        read, is the course's copy; that of the student (provider "existing") is never written.

        Raises
        ------
        ApiRefusedError
            There is no such namespace.
        """
        self._api.request("GET", f"/api/v1/namespaces/{self.name}")
        contexts.use(self._provider.kubeconfig, self.name)

    def sentinel(self) -> Sentinel:
        """Return what notices, while a block measures something here, that it is spoiled; see `Sentinel`."""
        return Sentinel(self._api, self.name, measuring=True)

    # --- objects

    def apply(self, source: manifests.Source) -> Objects:
        """Apply every object of a manifest on the server's side, in its order; return them as they are now.

        Parameters
        ----------
        source : str, Path, mapping or sequence
            See `manifests.read`.

        Raises
        ------
        ManifestError
            The manifest is broken or the server finds it wrong; with the line.
        ApiRefusedError
            Rights, quota.
        """
        return [self._apply(manifest) for manifest in manifests.read(source)]

    def _apply(self, manifest: manifests.Manifest) -> dict[str, Any]:
        kind = self._kinds.of(manifest.object)
        metadata = manifest.object["metadata"]
        written = metadata.get("namespace")
        if kind.namespaced and written:
            if written not in (self.name, self.asked):
                place = manifest.place("metadata.namespace")
                raise ManifestError(
                    f"Appliquer {manifest.title} dans « {self.name} »",
                    f"{place or manifest.source} : il demande l’espace de noms « {written} »",
                    "Effacez la ligne « namespace: … » : le cours choisit l’espace de noms.",
                )
            metadata["namespace"] = self.name
        return applying.apply(self._api, kind, manifest, self.name)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return one object; `ApiRefusedError` where it does not exist. `kind` as kubectl takes it ("deploy")."""
        return self._api.request("GET", self._object(kind, name))

    def list(self, kind: str, selector: str | None = None) -> Objects:
        """Return the objects of a kind, of which a label selector ("app=vitrine,version=v2") may choose some."""
        answer = self._api.request("GET", self.path(kind), query={"labelSelector": selector})
        found = self._kinds.find(kind)
        head = {"apiVersion": found.api_version, "kind": found.name}
        return [{**head, **item} for item in answer["items"]]

    def delete_object(
        self, kind: str, name: str, grace_s: float | None = None, timeout_s: float | None = None
    ) -> None:
        """Delete one object; nothing happens where it does not exist.

        Parameters
        ----------
        grace_s : float, optional
            For a pod: time to stop, instead of its own.
        timeout_s : float, optional
            Wait that long for it to be gone; otherwise do not wait.
        """
        query = {
            "gracePeriodSeconds": None if grace_s is None else int(grace_s),
            "propagationPolicy": "Background",
        }
        with ignoring(404):
            self._api.request("DELETE", self._object(kind, name), query=query)
        if timeout_s is not None:
            conditions.wait_deleted(self._api, self._kinds.find(kind), self.name, name, timeout_s)

    def patch(
        self, kind: str, name: str, patch: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Change some fields of an object: a strategic merge as `kubectl patch` does, or a list of JSON patches."""
        path = self._object(kind, name)
        if not isinstance(patch, Mapping):
            return self._api.request("PATCH", path, body=list(patch), content_type=JSON_PATCH)
        with ignoring(415):  # custom resources know no strategic merge
            return self._api.request("PATCH", path, body=dict(patch), content_type=STRATEGIC_PATCH)
        return self._api.request("PATCH", path, body=dict(patch), content_type=MERGE_PATCH)

    def scale(self, kind: str, name: str, replicas: int) -> dict[str, Any]:
        """Set the number of replicas, as `kubectl scale` does."""
        path = self._object(kind, name, "scale")
        body = {"spec": {"replicas": replicas}}
        return self._api.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    def path(self, kind: str, name: str | None = None) -> str:
        """Return the API's path of a collection here, or of one object: for `cluster.api`."""
        return self._kinds.find(kind).path(self.name, name)

    def _object(self, kind: str, name: object, subresource: str | None = None) -> str:
        """Return the path of one object; without a name it would be that of all."""
        found = self._kinds.find(kind)
        return found.path(self.name, found.require_name(name), subresource)

    # --- waits

    def wait(
        self, kind: str, name: str, until: Test | str = "Ready", timeout_s: float = 60.0
    ) -> dict[str, Any]:
        """Wait until an object is as wished, and return it.

        Parameters
        ----------
        until : callable or str
            A test of the object, a condition ("Ready", "Available=False"), or "deleted" (returns {}).

        Raises
        ------
        WaitTimeoutError
            Says the last state seen and the last warnings.
        """
        found = self._kinds.find(kind)
        found.require_name(name)
        if until == "deleted":
            conditions.wait_deleted(self._api, found, self.name, name, timeout_s)
            return {}
        wish = until if isinstance(until, str) else "la condition demandée"
        return conditions.wait(self._api, found, self.name, name, test_of(until), wish, timeout_s)

    def wait_rollout(
        self, name: str, timeout_s: float = 120.0, kind: str = "deployment"
    ) -> dict[str, Any]:
        """Wait until a rollout is over, as `kubectl rollout status` does, and return the object.

        Raises
        ------
        WaitTimeoutError
            Says what the pods complain of.
        """
        found = self._kinds.find(kind)
        found.require_name(name)
        return conditions.wait_rollout(self._api, found, self.name, name, timeout_s)

    # --- pods

    def logs(
        self,
        pod: str,
        container: str | None = None,
        previous: bool = False,
        tail: int | None = None,
    ) -> str:
        """Return what a container wrote; `previous` is that of before its last restart, `tail` counts lines."""
        query = {"container": container, "previous": previous or None, "tailLines": tail}
        if container is not None:
            require_name(container, "un conteneur")
        return self._api.text(self._object("pod", pod, "log"), query=query)

    def exec(
        self, pod: str, argv: Sequence[str], container: str | None = None, timeout_s: float = 30.0
    ) -> Completed:
        """Run a command in a container to its end; its exit status is in the result, not an error."""
        if container is not None:
            require_name(container, "un conteneur")
        path = self._object("pod", pod, "exec")
        from ..kube import streams

        return streams.execute(self._api, path, argv, container, timeout_s)

    def events(self) -> Objects:
        """Return the namespace's events, oldest first."""
        return sorted(self.list("events"), key=conditions.event_time)

    # --- access

    def service_url(
        self, service: str, port: int | str | None = None, timeout_s: float = 30.0
    ) -> ServiceAddress:
        """Return where a Service answers on this machine, once it has a ready pod behind it.

        Parameters
        ----------
        port : int or str, optional
            The Service's port by number or name; its first otherwise.
        timeout_s : float
            How long to wait for a ready pod and an open port; 0 takes the address as it is.

        Raises
        ------
        WaitTimeoutError
            No pod of the Service becomes ready.
        """
        found = self.get("service", service)
        return addresses.of_service(self._api, self._provider, found, port, timeout_s)
