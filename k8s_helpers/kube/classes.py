"""A class that shares one cluster: how its namespaces and objects are marked, and what a student's program reads of it.

The teacher's side (`k8s_helpers.classroom`) writes the ConfigMap `CONFIG_MAP` into a student's home namespace, which is
the one that the student's kubeconfig names; the student's side (`cluster.pool`) works in the namespaces that it lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MANAGED_BY = {"app.kubernetes.io/managed-by": "k8s-helpers"}
CLASS_LABEL = "k8s-helpers/class"
"""On all that the class has put somewhere: emptying a namespace leaves what has it."""
STUDENT_LABEL = "k8s-helpers/student"
ROLE_LABEL = "k8s-helpers/role"
"""On a namespace: `HOME` or `POOL`."""
HOME, POOL = "home", "pool"

CONFIG_MAP = "k8s-helpers-class"
JOURNAL = "k8s-helpers-journal"
"""ConfigMap of the home namespace that says how far its student is."""
LEASE = "k8s-helpers"
"""Lease of each namespace of a pool: who works there."""
HOME_VARIABLE = "K8S_HELPERS_HOME_NAMESPACE"
"""Environment variable that names the home namespace, before the kubeconfig and the pod."""

_YES, _NO = "true", "false"


def home_name(class_name: str, student: str) -> str:
    """Return the name of a student's home namespace."""
    return f"{class_name}-{student}"


def pool_names(class_name: str, student: str, count: int) -> tuple[str, ...]:
    """Return the names of a student's `count` namespaces to work in."""
    return tuple(f"{home_name(class_name, student)}-{number}" for number in range(1, count + 1))


def class_labels(class_name: str, student: str = "", role: str = "") -> dict[str, str]:
    """Return the labels of an object of a class: of one student, and for a namespace its role, where given."""
    labels = MANAGED_BY | {CLASS_LABEL: class_name}
    if student:
        labels[STUDENT_LABEL] = student
    if role:
        labels[ROLE_LABEL] = role
    return labels


def label_selector(labels: Mapping[str, str]) -> str:
    """Return the selector of the objects that carry all of these labels, as the API takes it: "app=web,tier=front"."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


@dataclass(frozen=True)
class Enrolment:
    """What a class gives one student, as the ConfigMap `k8s-helpers-class` says it.

    Attributes
    ----------
    class_name, student : str
        DNS labels.
    namespaces : tuple of str
        Those that the student works in, by their real names.
    images : mapping
        Where an image of the course is pulled from, by its short name: {"vitrine:v1":
        "registre.exemple.fr/cours/vitrine:v1@sha256:…"}.
    image_prefix : str
        What every other image's name begins with.
    share_progress : bool
        Whether the student's journal goes to the home namespace.
    server_version_tested : str
        The server's `gitVersion` when the class was made.
    plain_names : bool
        Whether the cluster itself takes a short name for the pinned reference.
    ingress_url : str
        Where the cluster's ingress controller answers, by HTTP and then by HTTPS if it does, with a blank between; ""
        where there is none.
    """

    class_name: str
    student: str
    namespaces: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    image_prefix: str = ""
    share_progress: bool = True
    server_version_tested: str = ""
    plain_names: bool = False
    ingress_url: str = ""

    @classmethod
    def parse(cls, data: Mapping[str, str]) -> Enrolment:
        """Return what the `data` of a ConfigMap say; what is missing is as by default.

        Raises
        ------
        ValueError
            Neither a class nor a student, or a line of `images` that is no name with a reference.
        """
        class_name, student = data.get("class", "").strip(), data.get("student", "").strip()
        if not class_name or not student:
            raise ValueError("no class or no student")
        pairs = [line.split() for line in data.get("images", "").splitlines() if line.strip()]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("a line of images is not a name with a reference")
        return cls(
            class_name,
            student,
            tuple(data.get("namespaces", "").split()),
            dict(pairs),
            data.get("image-prefix", "").strip(),
            data.get("share-progress", _YES).strip().lower() != _NO,
            data.get("server-version-tested", "").strip(),
            data.get("plain-names", _NO).strip().lower() == _YES,
            data.get("ingress-url", "").strip(),
        )

    def format(self) -> dict[str, str]:
        """Return the `data` of the ConfigMap; `parse` reads them."""
        return {
            "class": self.class_name,
            "student": self.student,
            "namespaces": "\n".join(self.namespaces),
            "images": "\n".join(f"{name} {self.images[name]}" for name in sorted(self.images)),
            "image-prefix": self.image_prefix,
            "plain-names": _YES if self.plain_names else _NO,
            "ingress-url": self.ingress_url,
            "share-progress": _YES if self.share_progress else _NO,
            "server-version-tested": self.server_version_tested,
        }
