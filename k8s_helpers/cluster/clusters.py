"""The cluster in use, whatever provides it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedded_kubernetes.processes import Completed, run

from .._errors import K8sHelpersError
from .._interruption import stoppable_class
from .._progress import Progress, reporting
from ..kube.api import ApiSession
from ..kube.discovery import Kinds
from ..providers.base import ClusterIncident, Provider
from . import contexts
from .namespaces import Namespace
from .ownership import NamespaceUse, PoolSupply, PrefixSupply, Supply

if TYPE_CHECKING:
    from ..providers.rights import Right
    from .badge import NotShown


@stoppable_class
class Cluster:
    """A cluster that runs, and how to talk to it.

    Parameters
    ----------
    provider : Provider
        Whose `up` has returned.

    Attributes
    ----------
    provider : Provider
        What the cluster is made of.
    api : ApiSession
        JSON requests and watches.
    kinds : Kinds
        What it serves.
    kubernetes_version : str
        The API server's `gitVersion`.
    not_shown : sequence of NotShown
        The experiments that it cannot show, for its badge.

    Raises
    ------
    ClusterUnreachableError
        Where it does not answer.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.not_shown: Sequence[NotShown] = ()
        self.api = ApiSession(
            provider.kubeconfig, stopped=provider.stopped, troubles=provider.troubles
        )
        self.kinds = Kinds(self.api)
        self._supply = _supply(provider, self.api, self.kinds)
        self.kubernetes_version: str = self.api.request("GET", "/version")["gitVersion"]

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file of this cluster alone."""
        return self.provider.kubeconfig

    def __repr__(self) -> str:
        from . import badge

        return badge.text(self.provider, self.kubernetes_version)

    def _repr_html_(self) -> str:
        from . import badge

        return badge.html(self.provider, self.kubernetes_version, self.not_shown)

    def namespace(self, name: str) -> Namespace:
        """Return a namespace of that name, to enter with `with` or to `create`; nothing is made yet."""
        return Namespace(self.api, self.kinds, self.provider, self._supply, name)

    def namespaces(self) -> list[str]:
        """Return the real names of the namespaces that the course has made here; in a class, of those in use."""
        return list(self.asked_names())

    def asked_names(self) -> dict[str, str]:
        """Return what each of `namespaces` was asked for as, by its real name."""
        return {use.name: use.asked for use in self.namespace_uses() if use.asked}

    def namespace_uses(self) -> list[NamespaceUse]:
        """Return what each of the student's namespaces is used for; in a class, the free ones too."""
        return self._supply.uses()

    def require_rights(self, tried: str, *rights: Right) -> None:
        """Go on where we have all of these rights: for what would otherwise fail halfway.

        Parameters
        ----------
        tried : str
            In French, what needs them: the first part of the error.
        *rights : Right
            Those that it needs; `OWN` for a namespace stands for one that the student works in.

        Raises
        ------
        ApiRefusedError
            Names those that are missing.
        """
        from ..providers.rights import OWN, require  # few experiments need any

        enrolment = self.provider.enrolment
        own = f"{self.provider.namespace_prefix}cours"
        if enrolment is not None and enrolment.namespaces:
            own = enrolment.namespaces[0]
        require(
            self.api,
            [
                replace(right, namespace=own) if right.namespace == OWN else right
                for right in rights
            ],
            tried,
            "Un cluster partagé ne les donne pas à chacun : faites-le sur un cluster à vous "
            '(connect(provider="embedded"), ou « k8s-lab up --provider embedded »).',
        )

    def sweep(self, progress: Progress) -> None:
        """Have the namespaces deleted that a kernel of this machine, killed or stopped, has left; wait for none.

        Whatever the cluster answers: who connects has come for something else.
        """
        with contextlib.suppress(K8sHelpersError):
            for name, give_back in self._supply.abandoned().items():
                progress.step(f"Suppression de « {name} », qu’un noyau arrêté avait laissé")
                give_back()
            if home := self.provider.home_namespace:
                from . import traffic_pods

                traffic_pods.sweep(self.api, home)

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes."""
        items: list[dict[str, Any]] = self.api.request("GET", "/api/v1/nodes")["items"]
        return items

    def ingress_url(self, progress: Progress | None = None, *, tls: bool = False) -> str:
        """Return where the ingress controller answers on this machine, without a final slash.

        Which rule applies depends on the request's `Host`. On kind a controller is installed where there is none.

        Parameters
        ----------
        progress
            Otherwise what fits here (notebook, terminal, log).
        tls : bool
            Where it answers by HTTPS.

        Raises
        ------
        PlatformError
            This provider gives none.
        """
        with reporting(progress) as shown:
            return self.provider.ingress_url(shown, tls=tls).rstrip("/")

    def install_gateway_api(self, progress: Progress | None = None) -> None:
        """Add Gateway API, which does not come with Kubernetes, and its class `cours`, where they are missing.

        Requests come in by `ingress_url`, as those of Ingresses.

        Raises
        ------
        PlatformError
            The cluster is somebody else's.
        """
        with reporting(progress) as shown:
            self.provider.install_gateway_api(shown)

    def kubectl(self, args: str | Sequence[str], timeout_s: float = 60.0) -> Completed:
        """Run kubectl on this cluster to its end.

        Parameters
        ----------
        args : str or sequence of str
            What follows `kubectl`: "get pods -A", split as a shell would.

        Raises
        ------
        CommandError
            kubectl is missing, too slow, or fails.
        """
        words = shlex.split(args) if isinstance(args, str) else list(args)
        return run(["kubectl", *words], timeout_s=timeout_s, env=own_environment(self.provider))

    def incidents(self, since_wall_s: float) -> tuple[ClusterIncident, ...]:
        """Return what happened to the cluster's own components since an instant (seconds since the epoch)."""
        return self.provider.incidents(since_wall_s)

    def close(self) -> None:
        """Close the connections, and delete the pod that traffic left from; the cluster goes on."""
        from . import traffic_pods

        traffic_pods.close(self.api, self.provider)
        self.api.close()


def _supply(provider: Provider, api: ApiSession, kinds: Kinds) -> Supply:
    """Return where the namespaces of a cluster come from."""
    if provider.enrolment is not None:
        from ..providers.pool.pool import Pool  # most students are in no class of a cluster

        return PoolSupply(Pool(api, provider.enrolment))
    return PrefixSupply(
        api,
        kinds,
        provider.namespace_prefix,
        one_api_server=provider.one_api_server,
        user=provider.user,
    )


def environment(provider: Provider) -> dict[str, str]:
    """Return the variables by which a terminal's kubectl and k8s-lab find the cluster and are found themselves."""
    values = {"KUBECONFIG": str(provider.kubeconfig)}
    if provider.kind != "existing":  # whose cluster is that of a kubeconfig
        values |= {"K8S_HELPERS_PROVIDER": provider.kind, "K8S_HELPERS_CLUSTER": provider.name}
    return {**values, **_programs()}


def own_environment(provider: Provider) -> dict[str, str]:
    """Return the same for this process, whose kubectl looks in the namespace that `Namespace.use` chose here.

    Without the names of provider and cluster: where the next `connect` goes is not decided by the last one.
    """
    return {"KUBECONFIG": contexts.variable(provider.kubeconfig), **_programs()}


def _programs() -> dict[str, str]:
    """Return the PATH, where another one is needed.

    The course's own kubectl comes first on it: it is of the clusters' version, which another may not be. Its command
    k8s-lab comes last, where the PATH has none.
    """
    from embedded_kubernetes.programs import binaries

    programs = binaries.cached()
    path = os.environ.get("PATH", os.defpath)
    folders = path.split(os.pathsep)
    if programs is not None and str(programs.folder) not in folders:
        folders.insert(0, str(programs.folder))
    if shutil.which("k8s-lab", path=path) is None:
        folders.append(str(Path(sys.executable).parent))
    wished = os.pathsep.join(folders)
    return {} if wished == path else {"PATH": wished}
