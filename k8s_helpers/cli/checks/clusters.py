"""Whether the course can work on a cluster that exists already: it answers, we may, and what will refuse there.

The cluster is asked; nothing is made in it, and nothing is noted here.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from ... import exercises, labs
from ..._errors import (
    ApiRefusedError,
    ClusterUnreachableError,
    ImageError,
    K8sHelpersError,
    PlatformError,
)
from ..._french import count
from ..._progress import Silent
from ...cluster import Cluster
from ...kube import kubeconfig
from ...providers.existing import ExistingProvider
from ...providers.pool.leases import Holding
from ...providers.pool.pool import Pool
from .machine import EXISTING, Diagnosis


def check_existing(provider: ExistingProvider) -> list[Diagnosis]:
    """Look at the cluster that the student means, with the student's rights."""
    with tempfile.TemporaryDirectory(prefix="k8s-helpers-") as folder:
        try:
            twin = provider.examined(Path(folder))
            with contextlib.closing(Cluster(twin)) as cluster:
                return _look(cluster, twin)
        except (ClusterUnreachableError, ApiRefusedError, PlatformError) as error:
            found = f"{error.tried} : {error.found}"
            return [Diagnosis(EXISTING, "missing", found, error.advice, (provider.kind,))]


def _look(cluster: Cluster, provider: ExistingProvider) -> list[Diagnosis]:
    version = cluster.api.request("GET", "/version")["gitVersion"]
    who = f", où vous êtes « {provider.user} »" if provider.user else ""
    found = [Diagnosis(EXISTING, "ok", f"{cluster.api.server}, Kubernetes {version}{who}")]
    if (enrolment := provider.enrolment) is not None:
        found.append(judge_namespaces(Pool(cluster.api, enrolment).holdings()))
    some_image = partial(provider.build_image, Path(), "vitrine:v1", {}, Silent())
    found.append(
        judge_images(len(provider.image_names.pinned), provider.image_prefix, _problem(some_image))
    )
    found.append(judge_traffic(kubeconfig.load(provider.kubeconfig).loopback))
    door = partial(provider.require_ingress, "Joindre un contrôleur d’Ingress")
    found.append(judge_ingress(_problem(door)))
    everything = {name: exercise.require for name, exercise in exercises.exercises().items()}
    everything |= {name: labs.get(name).require for name in labs.LABS}
    refused = {
        name: error.found
        for name, require in everything.items()
        if (error := _problem(partial(require, cluster))) is not None
    }
    found.append(judge_refusals(refused, len(everything)))
    return found


def _problem(act: Callable[[], object]) -> K8sHelpersError | None:
    """Return why something cannot be had; None where it can."""
    try:
        act()
    except (ApiRefusedError, ImageError, PlatformError) as error:
        return error
    return None


def judge_namespaces(holdings: Sequence[Holding]) -> Diagnosis:
    """Say how many of the namespaces that a class gives are free."""
    subject, total = "Vos espaces de noms", count(len(holdings), "espace")
    usable = count(sum(holding.free and not holding.stuck for holding in holdings), "libre")
    if stuck := [holding.namespace for holding in holdings if holding.stuck]:
        return Diagnosis(
            subject,
            "limited",
            f"{total} de noms, dont {usable} ; ne se vident pas : {', '.join(stuck)}",
            "« k8s-lab namespaces » dit ce qui y reste.",
        )
    if not any(holding.free for holding in holdings):
        return Diagnosis(
            subject,
            "limited",
            f"{total} de noms, tous pris",
            "« k8s-lab namespaces » dit par quoi ils sont pris ; « k8s-lab namespaces free NOM » en rend un.",
        )
    return Diagnosis(subject, "ok", f"{total} de noms, dont {usable}")


def judge_images(pinned: int, prefix: str, problem: K8sHelpersError | None) -> Diagnosis:
    """Say where the nodes have the course's images from.

    Parameters
    ----------
    pinned : int
        How many of them a class names with their digest.
    prefix : str
        What the names of the others begin with.
    problem : K8sHelpersError, optional
        Why none can be had.
    """
    subject = "Images du cours"
    if problem is not None:
        return Diagnosis(subject, "missing", problem.found, problem.advice, ("existing",))
    if pinned:
        return Diagnosis(
            subject, "ok", f"{count(pinned, 'image')} de la classe, désignées par leur empreinte"
        )
    if prefix:
        return Diagnosis(subject, "ok", f"tirées de « {prefix} » par les nœuds (non vérifié d’ici)")
    return Diagnosis(subject, "ok", "déjà dans les nœuds (non vérifié d’ici)")


def judge_traffic(loopback: bool) -> Diagnosis:
    """Say where the traffic of measures leaves from."""
    if loopback:
        return Diagnosis(
            "Trafic des mesures", "ok", "part de cette machine, si les NodePorts y mènent"
        )
    return Diagnosis(
        "Trafic des mesures",
        "ok",
        "part d’un pod du cours, dans le cluster : d’ici, seul le serveur d’API est joignable",
    )


def judge_ingress(problem: K8sHelpersError | None) -> Diagnosis:
    """Say whether somebody has named the cluster's own ingress controller."""
    subject = "Contrôleur d’Ingress"
    if problem is None:
        return Diagnosis(subject, "ok", "son adresse est connue")
    return Diagnosis(subject, "limited", problem.found, problem.advice)


def judge_refusals(refused: Mapping[str, str], total: int) -> Diagnosis:
    """Say which experiments and exercises will not begin here.

    Parameters
    ----------
    refused : mapping of str to str
        Why, by their names.
    total : int
        How many there are.
    """
    subject = "Expériences et exercices"
    if not refused:
        return Diagnosis(subject, "ok", f"les {total} peuvent commencer ici")
    return Diagnosis(
        subject,
        "limited",
        f"{total - len(refused)} sur {total} peuvent commencer ici ; refuseront : {', '.join(sorted(refused))}",
        "Chacun dira pourquoi (un droit, le plus souvent). Ceux-là se font sur le cluster embarqué : "
        "« k8s-lab up --provider embedded ».",
    )
