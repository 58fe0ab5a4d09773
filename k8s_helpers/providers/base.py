"""What a provider of clusters is: the one seam between the course and kind, embedded or an existing cluster."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from embedded_kubernetes.node.images.library import Origin as Origin
from embedded_kubernetes.node.images.library import StoredImage as StoredImage

from .._autoscaler import COURSE, KUBERNETES, AutoscalerDelays
from .._errors import PlatformError
from .._progress import Progress
from ..kube.classes import MANAGED_BY, Enrolment, label_selector
from ..kube.image_names import ImageNames
from ..kube.refusals import ClusterStoppedError

ProviderName = Literal["kind", "embedded", "existing"]

BaseProgram = Literal["python", "java", "shell"]

BASE_VARIABLES: Mapping[BaseProgram, str] = {
    "python": "K8S_HELPERS_BASE_IMAGE_PYTHON",
    "java": "K8S_HELPERS_BASE_IMAGE_JAVA",
    "shell": "K8S_HELPERS_BASE_IMAGE_SHELL",
}
"""Environment variables that name another base image."""

DEFAULT_NAME = "cours"
"""Name of the cluster where none is given."""

_NO_STORE = "ses images viennent d’un registre, où il les prend lui-même"

_PREFIX = "k8s-helpers/namespace-prefix"
"""On a shared cluster: whose namespaces these are; "none" without a prefix."""


USER = "k8s-helpers/user"
"""Annotation of a namespace on a shared cluster: as whom its maker was known to the cluster."""


def namespace_labels(namespace_prefix: str) -> dict[str, str]:
    """Return the labels by which the course knows its own namespaces: what lacks them is never deleted."""
    return MANAGED_BY | {_PREFIX: namespace_prefix.rstrip("-") or "none"}


def namespace_selector(namespace_prefix: str) -> str:
    """Return the label selector of the namespaces made with that prefix."""
    return label_selector(namespace_labels(namespace_prefix))


@dataclass(frozen=True)
class FidelityFact:
    """One thing that this provider does or does not do as a production cluster would.

    Attributes
    ----------
    subject : str
        What it is about, in French ("Réseau des pods").
    text : str
        One French sentence for the badge and `docs/fidelite.md`.
    real : bool
        True where it is the real thing.
    """

    subject: str
    text: str
    real: bool = False


SHORTENED = (
    f"sont raccourcis pour un cours : mesure toutes les {COURSE.sync_period_s:g} s "
    f"({KUBERNETES.sync_period_s:g} s par défaut), démarrage pris en compte après {COURSE.cpu_initialization_s:g} s "
    f"({KUBERNETES.cpu_initialization_s / 60:g} min par défaut). Les `periodSeconds` d’un `behavior` ne le sont pas : "
    "de 1 à 20 pods, un HPA limité par `behavior` met ici plus de temps qu’un HPA sans (35 s contre 19 s), et moins "
    "au rythme ordinaire (61 s contre 76 s)."
)
"""What becomes of the autoscaler's delays in the clusters that the course makes, as the end of a French sentence."""


@dataclass(frozen=True)
class Component:
    """A component of the cluster as its provider sees it.

    Attributes
    ----------
    running : bool
        Whether its process lives.
    detail : str
        What else is to be known of it, in French.
    trouble : str
        In French, that it lives and gives no sign of life; "" where it works.
    """

    name: str
    running: bool
    detail: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Status:
    """State of a cluster, told without changing it."""

    provider: ProviderName
    name: str
    state: Literal["absent", "stopped", "starting", "running", "broken"]
    kubernetes_version: str | None = None
    kubeconfig: Path | None = None
    components: tuple[Component, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class ClusterIncident:
    """A component that died, was stopped or came back, at a wall-clock instant (seconds since the epoch)."""

    wall_s: float
    component: str
    what: str


class Provider(ABC):
    """One cluster of one kind.

    Parameters
    ----------
    name : str
        The cluster's name among those of this provider (for `existing`: the kubeconfig's context, or "").
    """

    kind: ClassVar[ProviderName]
    autoscaler: ClassVar[AutoscalerDelays] = KUBERNETES
    builds_images: ClassVar[bool] = True
    """Whether the course's images are made on this machine, rather than pulled from where a teacher has put them."""
    one_api_server: ClassVar[bool] = True
    """Whether there is certainly one only: what it refuses is refused everywhere."""
    shared: ClassVar[bool] = False
    """Whether others may use it at the same time: what waits for its turn then takes no room from them."""
    closing_s: ClassVar[float] = 0.1
    """How long a mapped port may keep a connection open behind which nobody listens, in seconds."""

    def __init__(self, name: str = DEFAULT_NAME) -> None:
        self.name = name

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """The kubeconfig file of this cluster alone (never the user's own `~/.kube/config`)."""

    @property
    def namespace_prefix(self) -> str:
        """What the names of namespaces begin with ("" where the cluster is the student's own)."""
        return ""

    @property
    def enrolment(self) -> Enrolment | None:
        """What a class gives the student on this cluster; None where they are in none."""
        return None

    @property
    def user(self) -> str:
        """As whom the cluster knows the student; "" where nobody else is there."""
        return ""

    @property
    def home_namespace(self) -> str:
        """The student's own namespace in a class, in which no exercise is done; "" where there is none."""
        return ""

    @property
    def image_prefix(self) -> str:
        """What the references of the course's images begin with ("" where the cluster gets them directly)."""
        return ""

    @property
    def image_names(self) -> ImageNames:
        """What the course's images are called on this cluster."""
        enrolment = self.enrolment
        if enrolment is None:
            return ImageNames(self.image_prefix)
        return ImageNames(self.image_prefix, enrolment.images, enrolment.plain_names)

    @classmethod
    @abstractmethod
    def facts(cls) -> tuple[FidelityFact, ...]:
        """Return what clusters of this kind do and do not do as in production."""

    def facts_here(self) -> tuple[FidelityFact, ...]:
        """Return what this cluster does and does not do, on this machine."""
        return self.facts()

    @abstractmethod
    def up(self, progress: Progress) -> None:
        """Start the cluster, or find it running; return when the API answers and a node is Ready."""

    @abstractmethod
    def down(self, progress: Progress) -> None:
        """Delete what `up` made, and nothing else."""

    @abstractmethod
    def status(self) -> Status:
        """Tell the state without changing it, within a few seconds whatever happens."""

    @abstractmethod
    def node_port_url(self, node_port: int) -> str | None:
        """Return the URL on this host that reaches a NodePort, or None where only the API proxy can."""

    @abstractmethod
    def build_image(
        self, context: Path, tag: str, build_args: dict[str, str], progress: Progress
    ) -> None:
        """Make image `tag` from the Containerfile in folder `context` and make it runnable in the cluster.

        Does nothing where the cluster has the image of the same content already.

        Raises
        ------
        ImageError
            No Containerfile, a build that fails, an instruction that this provider cannot run.
        """

    def base_image(self, program: BaseProgram, default: str) -> str:
        """Return what the course's images with that program are built on here, instead of their own default.

        `K8S_HELPERS_BASE_IMAGE_PYTHON` and so on name another (a mirror, a room without internet).

        Parameters
        ----------
        program : {"python", "java", "shell"}
            What it must be able to run.
        default : str
            What the Containerfile, or the manifest, names.
        """
        return os.environ.get(BASE_VARIABLES[program]) or default

    def pull_image(self, reference: str, progress: Progress) -> str:
        """Fetch an image from its registry for the cluster; return its full name.

        Raises
        ------
        ImageError
            No such image, a registry that does not answer or refuses, an image that this machine cannot run.
        """
        raise self._cannot("Télécharger une image", _NO_STORE)

    def load_images(self, archive: Path, progress: Progress) -> tuple[str, ...]:
        """Give the cluster the images of an archive (`docker save`, `podman save`, OCI); return their names.

        Raises
        ------
        ImageError
            Not an archive of images, a damaged one, or one for another machine.
        """
        raise self._cannot("Charger une archive d’images", _NO_STORE)

    def images(self) -> tuple[StoredImage, ...]:
        """Return the images that the cluster has, by name."""
        raise self._cannot("Lister les images", _NO_STORE)

    def remove_image(self, reference: str) -> None:
        """Take an image away from the cluster.

        Raises
        ------
        ImageError
            It has none of that name.
        """
        raise self._cannot("Supprimer une image", _NO_STORE)

    def image_configuration(self, reference: str) -> dict[str, Any] | None:
        """Return what an image says of how to run it, as the node keeps it; None where it has no such image.

        The keys are those of the `config` object of an OCI image configuration ("Entrypoint", "Env" …).

        Raises
        ------
        PlatformError
            This provider gives no access to its nodes.

        Source: https://github.com/opencontainers/image-spec/blob/main/config.md
        """
        raise self._cannot(
            "Lire la configuration d’une image", "ses nœuds ne sont pas ouverts au cours"
        )

    def stop_component(self, name: str) -> None:
        """Stop a component of the control plane ("kube-scheduler" …) until `start_component`.

        Raises
        ------
        PlatformError
            The control plane is not ours to stop.
        UsageError
            It has no such component.
        """
        raise PlatformError(
            f"Arrêter « {name} » sur un cluster « {self.kind} »",
            "son plan de contrôle n’appartient pas au cours",
            'Refaites l’expérience sur un cluster du cours : connect(provider="embedded").',
        )

    def start_component(self, name: str) -> None:
        """Start a component that `stop_component` stopped; nothing happens where it runs."""
        return

    def add_node(self) -> str:
        """Start one more node, which joins the running cluster; return its name, before it is Ready.

        It leaves with `remove_node`, or when the cluster stops: the next start does not know it.

        Raises
        ------
        PlatformError
            This provider cannot.
        UsageError
            There is one already.
        """
        raise self._cannot("Ajouter un nœud", "le cours n’y ajoute pas de machine")

    def remove_node(self) -> None:
        """Empty the node that `add_node` started, then take it away; nothing happens where there is none."""
        return

    def require_ingress(self, tried: str) -> None:
        """Go on where `ingress_url` will give an address; nothing is installed.

        Parameters
        ----------
        tried : str
            The first part of the error.

        Raises
        ------
        PlatformError
            It cannot.
        """
        return

    def ingress_url(self, progress: Progress, *, tls: bool = False) -> str:
        """Return the URL on this host of an ingress controller, which is installed where it is missing.

        Parameters
        ----------
        progress : Progress
            Hears what is done.
        tls : bool
            Where it answers by HTTPS.

        Raises
        ------
        PlatformError
            This provider gives none.
        """
        raise self._cannot("Joindre un contrôleur d’Ingress", "le cours n’en installe pas ici")

    def install_gateway_api(self, progress: Progress) -> None:
        """Add the definitions of Gateway API and a class that the ingress controller serves, where they are missing.

        Raises
        ------
        PlatformError
            This provider cannot.
        """
        raise self._cannot("Installer Gateway API", "c’est à son administrateur de l’ajouter")

    def read_etcd(self, key: str) -> bytes | None:
        """Return what etcd keeps under a key ("/registry/…"), as it lies there; None where it keeps nothing.

        Raises
        ------
        PlatformError
            This provider gives no access to etcd.
        """
        raise self._cannot("Lire dans etcd", "son administrateur n’en donne pas l’accès au cours")

    def encryption(self) -> str | None:
        """Return the `EncryptionConfiguration` that the course gave the API server; None where there is none."""
        return None

    def encrypt_at_rest(self, configuration: str | None) -> None:
        """Restart the API server with an `EncryptionConfiguration`, or without any; return once it answers again.

        What it has written encrypted must be written anew before the key goes: this method does not look.

        Parameters
        ----------
        configuration : str or None
            YAML.

        Raises
        ------
        PlatformError
            This provider does not let the course change its API server.
        """
        raise self._cannot("Chiffrer dans etcd", "le cours n’y change pas le serveur d’API")

    def _cannot(self, tried: str, reason: str) -> PlatformError:
        return PlatformError(
            f"{tried}, sur un cluster « {self.kind} »",
            reason,
            'Refaites-le sur le cluster embarqué : connect(provider="embedded").',
        )

    def stopped(self) -> ClusterStoppedError | None:
        """Return the error that says that the cluster has stopped; None where it lives, or where only it could tell.

        Asked whenever the API server does not answer, so it is to be quick.
        """
        return None

    def troubles(self, since_wall_s: float) -> tuple[str, ...]:
        """Say in French what is wrong with the cluster's own components, or was since an instant (wall clock)."""
        return tuple(
            f"{incident.component} : {incident.what}" for incident in self.incidents(since_wall_s)
        )

    def incidents(self, since_wall_s: float) -> tuple[ClusterIncident, ...]:
        """Return what happened to the cluster's own components since an instant; empty where it cannot be known."""
        return ()
