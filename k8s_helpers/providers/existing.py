"""A cluster that exists already, of which the course uses namespaces of its own and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import yaml

from embedded_kubernetes.files import write_whole

from .. import _paths
from .._errors import (
    ClusterUnreachableError,
    ImageError,
    K8sHelpersError,
    PlatformError,
    UsageError,
    WaitTimeoutError,
)
from .._french import count
from .._progress import Progress, Silent
from ..kube import kubeconfig as _kubeconfig
from ..kube.api import ApiSession
from ..kube.classes import CONFIG_MAP, HOME_VARIABLE, Enrolment
from ..kube.image_names import undigested
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until
from . import in_cluster
from .base import (
    DEFAULT_NAME,
    USER,
    FidelityFact,
    Provider,
    ProviderName,
    Status,
    StoredImage,
    namespace_selector,
)
from .rights import Right, require

INGRESS_VARIABLE = "K8S_HELPERS_INGRESS_URL"
"""Environment variable that says where the ingress controller answers: one or two URLs, with a blank between."""

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
        "Si les NodePorts ne sont pas joignables d’ici, le trafic des mesures part d’un pod du cours, dans le "
        "cluster ; une requête seule passe par le serveur d’API.",
        real=True,
    ),
    FidelityFact(
        "Images",
        "Le cluster tire les images du cours d’un registre que l’enseignant a rempli.",
        real=True,
    ),
)

_BY_PREFIX = (
    Right("create", "", "namespaces", words="créer des espaces de noms"),
    Right("delete", "", "namespaces", words="supprimer ses espaces de noms"),
)
_LEASES = "coordination.k8s.io"
_IN_POOL = (
    Right("get", _LEASES, "leases", words="lire qui utilise un espace de noms"),
    Right("create", _LEASES, "leases", words="prendre un espace de noms"),
    Right("update", _LEASES, "leases", words="rendre un espace de noms"),
    Right("delete", "", "pods", words="supprimer des pods"),
)
_TO_WORK = (
    Right("create", "apps", "deployments", words="créer des Deployments"),
    Right("create", "", "services", words="créer des Services"),
    Right("watch", "", "pods", words="suivre les pods"),
    Right("get", "", "pods/log", words="lire les journaux des pods"),
    Right("create", "", "pods/exec", words="exécuter des commandes dans les pods"),
    Right("list", "", "events", words="lire les événements"),
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
    builds_images: ClassVar[bool] = False
    one_api_server: ClassVar[bool] = False
    shared: ClassVar[bool] = True

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
        self._by_prefix = self._prefix is not None
        self._kept_in: Path | None = None

    @classmethod
    def facts(cls) -> tuple[FidelityFact, ...]:
        """Return what the course knows that existing clusters do and do not do as in production."""
        return FACTS

    @property
    def _folder(self) -> Path:
        return self._kept_in or _paths.state_dir() / "clusters" / self.kind / self.name

    @property
    def kubeconfig(self) -> Path:
        """Our own copy of the one context in use."""
        return self._folder / "kubeconfig"

    @property
    def namespace_prefix(self) -> str:
        """What the names of our namespaces begin with."""
        if self._prefix is None:
            self._prefix = str(self._options().get("namespace_prefix", ""))
        return self._prefix

    @property
    def enrolment(self) -> Enrolment | None:
        """What the class has given, as `up` read it; None where there is none, or a prefix was asked for."""
        data = None if self._by_prefix else self._options().get("class")
        return None if data is None else Enrolment.parse(data)

    @property
    def user(self) -> str:
        """As whom the cluster knows the student."""
        return str(self._options().get("user", ""))

    @property
    def home_namespace(self) -> str:
        """The student's own namespace, where a class was read in it."""
        return "" if self.enrolment is None else str(self._options()["home"])

    def _options(self) -> dict[str, Any]:
        """Return what `up` has noted of the cluster; {} before."""
        try:
            options = json.loads((self._folder / "options.json").read_text())
        except (OSError, ValueError):
            return {}
        return options if isinstance(options, dict) else {}

    @property
    def image_prefix(self) -> str:
        """The registry that holds the course's images: the class's, otherwise `K8S_HELPERS_IMAGE_PREFIX`."""
        enrolment = self.enrolment
        if enrolment is not None and (enrolment.image_prefix or enrolment.images):
            return enrolment.image_prefix
        return os.environ.get("K8S_HELPERS_IMAGE_PREFIX", "")

    def require_ingress(self, tried: str) -> None:
        """Go on where somebody has said where the ingress controller answers.

        Raises
        ------
        PlatformError
            Nobody has.
        """
        self._ingress_url(tried, tls=False)

    def ingress_url(self, progress: Progress, *, tls: bool = False) -> str:
        """Return where the cluster's own ingress controller answers, as the class or `K8S_HELPERS_INGRESS_URL` says.

        Raises
        ------
        PlatformError
            Nobody has said it, or not by HTTPS.
        """
        return self._ingress_url("Joindre un contrôleur d’Ingress", tls=tls)

    def _ingress_url(self, tried: str, *, tls: bool) -> str:
        enrolment = self.enrolment
        known = (enrolment.ingress_url if enrolment else "") or os.environ.get(INGRESS_VARIABLE, "")
        scheme = "https" if tls else "http"
        for url in known.split():
            if url.startswith(f"{scheme}://"):
                return url
        raise PlatformError(
            f"{tried}, sur un cluster « {self.kind} »",
            f"personne n’a dit où son contrôleur d’Ingress répond ({scheme})",
            f"S’il en a un, votre enseignant en donne l’adresse (« class create --ingress-url ») ; sinon définissez "
            f'{INGRESS_VARIABLE}, ou refaites-le sur le cluster embarqué : connect(provider="embedded").',
        )

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
        own, source = self._read()
        self._settle(own, source, self._home(own, source), progress)

    def examined(self, folder: Path) -> ExistingProvider:
        """Check the cluster as `up` does, and return it: what it notes is in a folder that is given, nothing elsewhere.

        Raises
        ------
        ClusterUnreachableError, ApiRefusedError
            As `up`.
        """
        own, source = self._read()
        twin = ExistingProvider(self.name, kubeconfig=source, context=self._context)
        twin._prefix, twin._by_prefix = self.namespace_prefix, self._by_prefix
        twin._kept_in = folder
        twin._settle(own, source, self._home(own, source), Silent())
        return twin

    def _settle(
        self, own: dict[str, Any], source: Path, home: str | None, progress: Progress
    ) -> None:
        """Check the cluster of a kubeconfig, then note that, and what was found."""
        prefix = self.namespace_prefix
        folder = self._kept_in or _paths.cluster_dir(self.kind, self.name)
        candidate = folder / "kubeconfig.new"
        options: dict[str, Any] = {"namespace_prefix": prefix}
        try:
            write_whole(candidate, yaml.safe_dump(own, sort_keys=False), private=True)
            data, user = _check(candidate, prefix, None if self._by_prefix else home, progress)
            options["user"] = user
            if data is not None:
                options |= {"home": home, "class": data}
            candidate.replace(self.kubeconfig)
            write_whole(folder / "options.json", json.dumps(options), private=True)
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

    def _read(self) -> tuple[dict[str, Any], Path]:
        """Return a kubeconfig with the chosen context alone, and the file that it comes from.

        In a pod without any kubeconfig it is that of the pod's own account.
        """
        sources = self._find_sources()
        if self._source is None and in_cluster.present() and not sources[0].exists():
            return in_cluster.kubeconfig(), sources[0]
        return (
            _kubeconfig.minimal(_kubeconfig.merged(sources), sources[0], self._context),
            sources[0],
        )

    def _home(self, own: dict[str, Any], source: Path) -> str | None:
        """Return the namespace that may say what a class gives the student.

        Our own copy names the one where kubectl looks now, hence the home that was noted when it was made.
        """
        noted = self._options().get("home") if source == self.kubeconfig else None
        written: str | None = own["contexts"][0]["context"].get("namespace")
        return os.environ.get(HOME_VARIABLE) or noted or written

    def down(self, progress: Progress) -> None:
        """Delete the namespaces that the course made here with this prefix, then our copy of the kubeconfig.

        In a class, the given namespaces are emptied and given back instead.
        """
        if self.kubeconfig.exists():
            with contextlib.closing(ApiSession(self.kubeconfig)) as api:
                if (enrolment := self.enrolment) is not None:
                    _give_back(api, enrolment, progress)
                else:
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
        prefix, enrolment = self.namespace_prefix, self.enrolment
        detail = f"{api.server}, espaces de noms « {prefix}… »" if prefix else api.server
        if enrolment is not None:
            detail = (
                f"{api.server}, classe « {enrolment.class_name} », étudiant « {enrolment.student} », "
                f"{count(len(enrolment.namespaces), 'espace')} de noms : « k8s-lab namespaces » dit lesquels servent"
            )
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
            Neither the class nor `K8S_HELPERS_IMAGE_PREFIX` says where.
        """
        tried, enrolment = f"Trouver l’image {tag} pour un cluster existant", self.enrolment
        if enrolment is not None:
            if enrolment.images and not enrolment.image_prefix:
                raise ImageError(
                    tried,
                    f"la classe « {enrolment.class_name} » ne dit pas où elle est",
                    "Demandez-la à l’enseignant (« k8s-lab image push », puis « k8s-lab class create --images »).",
                )
            return
        if "K8S_HELPERS_IMAGE_PREFIX" not in os.environ:
            raise ImageError(
                tried,
                "le cours ne peut pas y construire d’image, et K8S_HELPERS_IMAGE_PREFIX n’est pas définie",
                "Poussez-les : « k8s-lab image push registre.exemple.fr/cours » ; puis définissez "
                "K8S_HELPERS_IMAGE_PREFIX=registre.exemple.fr/cours/ (vide : elles sont déjà dans les nœuds).",
            )

    def images(self) -> tuple[StoredImage, ...]:
        """Return the images that the class has nodes pull, by the names that they have there.

        Raises
        ------
        PlatformError
            No class says which they are; says where the course expects them.
        """
        pinned = self.image_names.pinned
        if not pinned:
            where = self.image_prefix
            raise self._cannot(
                "Lister les images",
                f"ses nœuds les tirent de « {where} » (K8S_HELPERS_IMAGE_PREFIX), où le cours ne lit pas"
                if where
                else "ses nœuds ont leurs propres images, et le cours n’y lit pas",
            )
        return tuple(
            StoredImage(undigested(pinned[tag]), pinned[tag].rpartition("@")[2], 0, "", "registry")
            for tag in sorted(pinned)
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


def class_in_pod() -> bool:
    """Return whether the account of the pod that we run in belongs to a student of a class."""
    if home := os.environ.get(HOME_VARIABLE):
        return bool(home)
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(K8sHelpersError):
        file = Path(folder) / "kubeconfig"
        file.write_text(yaml.safe_dump(in_cluster.kubeconfig()))
        with contextlib.closing(ApiSession(file)) as api:
            return _class_data(api, in_cluster.namespace()) is not None
    return False


def _check(
    kubeconfig: Path, namespace_prefix: str, home: str | None, progress: Progress
) -> tuple[dict[str, str] | None, str]:
    """Check the cluster; return what the home namespace says of the class, None without one, and who we are."""
    with contextlib.closing(ApiSession(kubeconfig)) as api:
        progress.step(f"Vérification du cluster {api.server}")
        _check_version(api)
        data = _class_data(api, home) if home else None
        progress.step("Vérification de vos droits")
        user = _user(api)
        if data is None:
            _check_prefix(api, namespace_prefix, user)
            _check_rights(api, _BY_PREFIX, f"{namespace_prefix}cours")
        elif namespaces := Enrolment.parse(data).namespaces:
            _check_rights(api, _IN_POOL, namespaces[0], namespaces[1:])
    return data, user


def _user(api: ApiSession) -> str:
    """Return as whom the cluster knows us; "" where it does not say.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/
    """
    with ignoring(403, 404):
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        return str(api.request("POST", path, body=body)["status"]["userInfo"].get("username", ""))
    return ""


def _check_prefix(api: ApiSession, namespace_prefix: str, user: str) -> None:
    """Check that the namespaces with our prefix are not those of somebody else.

    Raises
    ------
    UsageError
        They are: `down` would delete them.
    """
    items: list[dict[str, Any]] = []
    with ignoring(403):  # who may not list them is told so when they make one
        query = {"labelSelector": namespace_selector(namespace_prefix)}
        items = api.request("GET", "/api/v1/namespaces", query=query)["items"]
    for item in items:
        maker = item["metadata"].get("annotations", {}).get(USER)
        if maker and user and maker != user:
            raise UsageError(
                f"Utiliser le préfixe d’espaces de noms « {namespace_prefix} »",
                f"« {item['metadata']['name']} » est à quelqu’un d’autre ({maker}) ; vous êtes « {user} »",
                "Prenez un préfixe à vous : --namespace-prefix, ou K8S_HELPERS_NAMESPACE_PREFIX.",
            )


def _class_data(api: ApiSession, home: str) -> dict[str, str] | None:
    """Return what a class says to the student's program; None where there is no class.

    Raises
    ------
    ClusterUnreachableError
        It is not readable.
    """
    with ignoring(403, 404):
        path = f"/api/v1/namespaces/{home}/configmaps/{CONFIG_MAP}"
        data: dict[str, str] = api.request("GET", path).get("data") or {}
        try:
            Enrolment.parse(data)
        except ValueError as error:
            raise ClusterUnreachableError(
                f"Lire ce que la classe vous donne (ConfigMap {CONFIG_MAP} de « {home} »)",
                f"il est incomplet ({error})",
                "Dites-le à votre enseignant : « k8s-lab class create » le refait.",
            ) from None
        return data
    return None


def _check_version(api: ApiSession) -> None:
    version = str(api.request("GET", "/version")["gitVersion"])
    minor = _MINOR.match(version)
    if minor is not None and int(minor[1]) < OLDEST_MINOR:
        raise ClusterUnreachableError(
            f"Utiliser le cluster {api.server}",
            f"il a Kubernetes {version}, trop ancien",
            f"Prenez un cluster en v1.{OLDEST_MINOR} ou plus récent, ou le cluster embarqué.",
        )


def _check_rights(
    api: ApiSession, first: Sequence[Right], namespace: str, others: Sequence[str] = ()
) -> None:
    """Check that we may work in a namespace; of others of a class, whether we may begin to.

    Raises
    ------
    ApiRefusedError
        Names all that is missing.
    """
    rights = [
        right if right.resource == "namespaces" else replace(right, namespace=namespace)
        for right in (*first, *_TO_WORK)
    ]
    rights += [replace(_TO_WORK[0], namespace=other) for other in others]
    require(
        api,
        rights,
        f"Vérifier vos droits sur {api.server}",
        "Demandez-les à l’administrateur du cluster, ou prenez un cluster à vous (kind, embarqué).",
    )


def _give_back(api: ApiSession, enrolment: Enrolment, progress: Progress) -> None:
    """Give all back that is held; what is stuck is said once all the rest is given back."""
    from .pool.pool import EMPTY_S, Pool

    pool, stuck = Pool(api, enrolment), []
    for holding in pool.holdings():
        if holding.free:
            continue
        progress.step(f"Rangement de l’espace de noms {holding.namespace}")
        try:
            pool.release(holding, 1.0, EMPTY_S)
        except WaitTimeoutError as error:
            stuck.append(error)
    if stuck:
        raise stuck[0]


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
