"""A cluster that exists already, of which the course uses namespaces of its own and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
from functools import partial
from pathlib import Path
from typing import ClassVar

import yaml

from embedded_kubernetes.files import write_whole

from .. import _paths
from .._errors import (
    ApiRefusedError,
    ClusterUnreachableError,
    ImageError,
    K8sHelpersError,
    UsageError,
    WaitTimeoutError,
)
from .._progress import Progress
from ..kube import kubeconfig as _kubeconfig
from ..kube.api import ApiSession
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until
from .base import DEFAULT_NAME, FidelityFact, Provider, ProviderName, Status, namespace_selector

OLDEST_MINOR = 30
"""Oldest Kubernetes 1.x that has all that the course uses (sidecar containers, aggregated discovery v2)."""

FACTS = (
    FidelityFact(
        "Cluster",
        "C’est un cluster ordinaire : tout y est réel, y compris ses quotas et ses politiques.",
        real=True,
    ),
    FidelityFact(
        "Partage",
        "Le cours n’y touche qu’à ses propres espaces de noms ; les autres utilisateurs et leur charge "
        "influencent vos mesures.",
        real=True,
    ),
    FidelityFact(
        "Chemin des requêtes",
        "Si les NodePorts ne sont pas joignables d’ici, les requêtes passent par le serveur d’API, qui les ralentit.",
    ),
    FidelityFact(
        "Images",
        "Le cluster tire les images du cours d’un registre que l’enseignant a rempli.",
        real=True,
    ),
)

_RIGHTS: tuple[tuple[str, str, str, str], ...] = (
    ("", "namespaces", "create", "créer des espaces de noms"),
    ("", "namespaces", "delete", "supprimer ses espaces de noms"),
    ("apps", "deployments", "create", "créer des Deployments"),
    ("", "services", "create", "créer des Services"),
    ("", "pods", "watch", "suivre les pods"),
    ("", "pods/log", "get", "lire les journaux des pods"),
    ("", "pods/exec", "create", "exécuter des commandes dans les pods"),
    ("", "events", "list", "lire les événements"),
)
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?-?")
_MINOR = re.compile(r"v1\.(\d+)\.")
_OTHER_KUBECONFIG = (
    "Essayez « kubectl cluster-info » avec ce kubeconfig ; sinon, prenez-en un autre (--kubeconfig), ou un autre de "
    "ses contextes (--context)."
)
_NODE_PORT_S = 1.0
_GONE_S = 60.0


class ExistingProvider(Provider):
    """Any cluster that a kubeconfig leads to.

    Parameters
    ----------
    name : str
        What the course calls it.
    kubeconfig : Path or str, optional
        The file to read; otherwise `K8S_HELPERS_KUBECONFIG`, then the one that `up` read before, then `KUBECONFIG`,
        then `~/.kube/config`. It is only read.
    context : str, optional
        Its context; otherwise `K8S_HELPERS_CONTEXT`, then the current one.
    namespace_prefix : str, optional
        What the names of our namespaces begin with (thirty students on one cluster); otherwise
        `K8S_HELPERS_NAMESPACE_PREFIX`, then the one used before.

    Raises
    ------
    UsageError
        A prefix that no name can begin with.
    """

    kind: ClassVar[ProviderName] = "existing"
    one_api_server: ClassVar[bool] = False

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        *,
        kubeconfig: Path | str | None = None,
        context: str | None = None,
        namespace_prefix: str | None = None,
    ) -> None:
        super().__init__(name)
        source = kubeconfig or os.environ.get("K8S_HELPERS_KUBECONFIG")
        self._source = Path(source).expanduser() if source else None
        self._context = context or os.environ.get("K8S_HELPERS_CONTEXT")
        if namespace_prefix is None:
            namespace_prefix = os.environ.get("K8S_HELPERS_NAMESPACE_PREFIX")
        self._prefix = None if namespace_prefix is None else _checked(namespace_prefix)

    @classmethod
    def facts(cls) -> tuple[FidelityFact, ...]:
        """Return what the course knows that existing clusters do and do not do as in production."""
        return FACTS

    @property
    def _folder(self) -> Path:
        return _paths.state_dir() / "clusters" / self.kind / self.name

    @property
    def kubeconfig(self) -> Path:
        """Our own copy of the one context in use."""
        return self._folder / "kubeconfig"

    @property
    def namespace_prefix(self) -> str:
        """What the names of our namespaces begin with."""
        if self._prefix is None:
            try:
                self._prefix = str(
                    json.loads((self._folder / "options.json").read_text())["namespace_prefix"]
                )
            except (OSError, ValueError, KeyError):
                return ""
        return self._prefix

    @property
    def image_prefix(self) -> str:
        """The registry that holds the course's images (`K8S_HELPERS_IMAGE_PREFIX`)."""
        return os.environ.get("K8S_HELPERS_IMAGE_PREFIX", "")

    def up(self, progress: Progress) -> None:
        """Copy the context, then check that the cluster answers, is recent enough and lets us work.

        Raises
        ------
        ClusterUnreachableError
            An unusable kubeconfig, a server that does not answer or is too old.
        ApiRefusedError
            Rights are missing; all of them are named.
        """
        progress.step("Lecture du kubeconfig")
        prefix = self.namespace_prefix
        sources = self._find_sources()
        source = sources[0]
        own = _kubeconfig.minimal(_kubeconfig.merged(sources), source, self._context)
        folder = _paths.cluster_dir(self.kind, self.name)
        candidate = folder / "kubeconfig.new"
        try:
            write_whole(candidate, yaml.safe_dump(own, sort_keys=False), private=True)
            _check(candidate, prefix, progress)
            candidate.replace(self.kubeconfig)
            write_whole(
                folder / "options.json", json.dumps({"namespace_prefix": prefix}), private=True
            )
        except ClusterUnreachableError as error:
            if str(candidate) not in error.tried:
                raise
            raise ClusterUnreachableError(  # the student knows of no copy of ours
                error.tried.replace(str(candidate), str(source)), error.found, _OTHER_KUBECONFIG
            ) from None
        finally:
            candidate.unlink(missing_ok=True)
            if not self.kubeconfig.exists():
                shutil.rmtree(folder)

    def down(self, progress: Progress) -> None:
        """Delete the namespaces that the course made here with this prefix, then our copy of the kubeconfig."""
        if self.kubeconfig.exists():
            with contextlib.closing(ApiSession(self.kubeconfig)) as api:
                _delete_namespaces(api, self.namespace_prefix, progress)
        shutil.rmtree(self._folder, ignore_errors=True)

    def status(self) -> Status:
        """Tell whether the cluster answers, within a few seconds."""
        status = partial(Status, self.kind, self.name)
        if not self.kubeconfig.exists():
            return status("absent", detail="aucun kubeconfig n’a encore été choisi")
        try:
            with contextlib.closing(ApiSession(self.kubeconfig)) as api:
                version = api.request("GET", "/version", timeout_s=3.0)["gitVersion"]
        except K8sHelpersError as error:
            return status("broken", kubeconfig=self.kubeconfig, detail=error.found)
        prefix = self.namespace_prefix
        detail = f"{api.server}, espaces de noms « {prefix}… »" if prefix else api.server
        return status("running", version, self.kubeconfig, detail=detail)

    def node_port_url(self, node_port: int) -> str | None:
        """Return a loopback URL where the API server is on loopback and the port answers there; None otherwise."""
        if not _kubeconfig.load(self.kubeconfig).loopback:
            return None
        url = f"http://127.0.0.1:{node_port}"
        opened = wait_until(lambda: _listens(node_port), _NODE_PORT_S, every_s=0.02)
        return url if opened else None

    def build_image(
        self, context: Path, tag: str, build_args: dict[str, str], progress: Progress
    ) -> None:
        """Check that the image can be had: an existing cluster pulls it from where the teacher has put it.

        Raises
        ------
        ImageError
            `K8S_HELPERS_IMAGE_PREFIX` does not say where.
        """
        if "K8S_HELPERS_IMAGE_PREFIX" not in os.environ:
            raise ImageError(
                f"Trouver l’image {tag} pour un cluster existant",
                "le cours ne peut pas y construire d’image, et K8S_HELPERS_IMAGE_PREFIX n’est pas définie",
                "Poussez les images du cours dans un registre (docker build, docker push), puis définissez par "
                "exemple K8S_HELPERS_IMAGE_PREFIX=registre.exemple.fr/cours/ (vide : elles y sont déjà).",
            )

    def _find_sources(self) -> list[Path]:
        """Return the files to read, as kubectl orders them: those that exist, or one that does not."""
        if self._source is not None:
            return [self._source]
        if self._context is None and self.kubeconfig.exists():
            return [self.kubeconfig]
        # connect() makes KUBECONFIG name a file of ours, which is not what the student means here.
        return _kubeconfig.listed(os.environ, but_below=_paths.state_dir() / "clusters")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_NODE_PORT_S).close()
    except OSError:
        return False
    return True


def _checked(prefix: str) -> str:
    """Return the prefix with its final dash ("alice" → "alice-")."""
    if prefix and not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"Utiliser le préfixe d’espaces de noms « {prefix} »",
            "un préfixe a au plus 30 caractères parmi a-z, 0-9 et le tiret, et ne commence pas par un tiret",
            "Prenez par exemple vos initiales : « ab- ».",
        )
    return f"{prefix.rstrip('-')}-" if prefix else ""


def _check(kubeconfig: Path, namespace_prefix: str, progress: Progress) -> None:
    with contextlib.closing(ApiSession(kubeconfig)) as api:
        progress.step(f"Vérification du cluster {api.server}")
        _check_version(api)
        progress.step("Vérification de vos droits")
        _check_rights(api, f"{namespace_prefix}cours")


def _check_version(api: ApiSession) -> None:
    version = str(api.request("GET", "/version")["gitVersion"])
    minor = _MINOR.match(version)
    if minor is not None and int(minor[1]) < OLDEST_MINOR:
        raise ClusterUnreachableError(
            f"Utiliser le cluster {api.server}",
            f"il a Kubernetes {version}, trop ancien",
            f"Prenez un cluster en v1.{OLDEST_MINOR} ou plus récent, ou le cluster embarqué.",
        )


def _check_rights(api: ApiSession, namespace: str) -> None:
    missing = [
        words
        for group, resource, verb, words in _RIGHTS
        if not _may(api, namespace, group, resource, verb)
    ]
    if missing:
        raise ApiRefusedError(
            f"Vérifier vos droits sur {api.server}",
            f"il vous manque celui de : {' ; '.join(missing)}",
            "Demandez-les à l’administrateur du cluster, ou prenez un cluster à vous (kind, embarqué).",
        )


def _may(api: ApiSession, namespace: str, group: str, resource: str, verb: str) -> bool:
    """Ask whether we may do something.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
    """
    name, _, subresource = resource.partition("/")
    attributes = {"group": group, "resource": name, "subresource": subresource, "verb": verb}
    if resource != "namespaces":
        attributes["namespace"] = namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = api.request(
        "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review
    )
    return bool(answer["status"]["allowed"])


def _delete_namespaces(api: ApiSession, namespace_prefix: str, progress: Progress) -> None:
    path, query = "/api/v1/namespaces", {"labelSelector": namespace_selector(namespace_prefix)}
    listed = api.request("GET", path, query=query)
    left = {item["metadata"]["name"] for item in listed["items"]}
    for item in listed["items"]:
        progress.step(f"Suppression de l’espace de noms {item['metadata']['name']}")
        body = {"preconditions": {"uid": item["metadata"]["uid"]}}
        with ignoring(404, 409):  # on its way out already
            api.request("DELETE", f"{path}/{item['metadata']['name']}", body=body)
    version = listed["metadata"]["resourceVersion"]
    with api.watch(path, query=query, resource_version=version, timeout_s=_GONE_S) as watch:
        while left and (event := next(watch, None)) is not None:
            if event.type == "DELETED":
                left.discard(event.object["metadata"]["name"])
    left &= {item["metadata"]["name"] for item in api.request("GET", path, query=query)["items"]}
    if left:
        raise WaitTimeoutError(
            "Supprimer les espaces de noms du cours",
            f"ils sont encore là après {_GONE_S:.0f} s : {', '.join(sorted(left))}",
            "« kubectl get namespace -o yaml » dit ce qui les retient ; relancez ensuite la commande.",
        )
