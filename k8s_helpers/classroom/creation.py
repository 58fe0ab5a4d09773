"""Making a class: looked at first, applied by the server (so again and again the same), student by student.

What stopped in the middle, by Ctrl-C or a server that was away, goes on when the same command is given again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._errors import ApiRefusedError, K8sHelpersError, UsageError
from .._progress import Progress
from ..builds import plain_names
from ..kube.api import APPLY_PATCH, MERGE_PATCH, ApiSession
from ..kube.classes import STUDENT_LABEL, class_labels, home_name, label_selector
from ..kube.discovery import Kinds
from ..kube.refusals import ignoring
from ..providers.rights import Right, require
from . import credentials, objects
from .concurrency import for_each, reasons
from .credentials import StudentAccess
from .objects import ClassPlan
from .rights import RBAC
from .roster import Member

MANAGER = "k8s-helpers-class"
"""Field manager of what is applied."""

PATIENCE_S = 60.0
"""How long a server that is away or busy is asked again."""

TOKEN_END = "k8s-helpers/token-end"
"""Annotation of the home namespace: when the student's token ends (ISO 8601, UTC)."""

_SCRATCH = "default"
"""A namespace that every cluster has: the server judges there, without keeping it, what goes into one to come."""


@dataclass(frozen=True)
class Made:
    """What `create` made.

    Attributes
    ----------
    credentials : tuple of StudentAccess
        By student.
    objects : int
        How many were applied.
    others : tuple of str
        Students of the class on the cluster who are not in the list (any more); nothing of theirs was touched.
    """

    credentials: tuple[StudentAccess, ...]
    objects: int
    others: tuple[str, ...]


def surveyed(api: ApiSession, plan: ClassPlan) -> ClassPlan:
    """Return the plan with what the cluster says of itself.

    Its version, ranges of pod addresses, API servers, priorities, and whether it rewrites images' names.

    What may not be read stays as it is.
    """
    version = str(api.request("GET", "/version")["gitVersion"])
    ranges, servers = tuple(plan.pod_ranges), tuple(plan.api_servers)
    if plan.network and not ranges:
        with ignoring(403):
            ranges = _pod_ranges(api.request("GET", "/api/v1/nodes")["items"])
    if plan.network and not servers:
        path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
        with ignoring(403):
            query = {"labelSelector": "kubernetes.io/service-name=kubernetes"}
            servers = _addresses(api.request("GET", path, query=query)["items"])
    priorities = set(plan.priorities)
    with ignoring(403):
        items = api.request("GET", "/apis/scheduling.k8s.io/v1/priorityclasses")["items"]
        priorities |= {item["metadata"]["name"] for item in items if _above(item)}
    return replace(
        plan,
        priorities=tuple(sorted(priorities)),
        server_version=version,
        rewrites_images=_serves(api, plain_names.API_VERSION, plain_names.RESOURCES),
        pod_ranges=ranges,
        api_servers=servers,
    )


def _serves(api: ApiSession, api_version: str, resources: Iterable[str]) -> bool:
    """Return whether the server has some kinds; an older one lacks them."""
    served: set[str] = set()
    with ignoring(403, 404):
        listed = api.request("GET", f"/apis/{api_version}")["resources"]
        served = {item["name"] for item in listed}
    return served.issuperset(resources)


def _above(priority_class: Mapping[str, Any]) -> bool:
    """Return whether a pod of that class goes before those of no class."""
    return int(priority_class["value"]) > 0 and not priority_class.get("globalDefault")


def _pod_ranges(nodes: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(
        sorted({text for node in nodes for text in node.get("spec", {}).get("podCIDRs", ())})
    )


def _addresses(slices: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, int], ...]:
    return tuple(
        sorted(
            (address, int(port["port"]))
            for item in slices
            for endpoint in item.get("endpoints") or ()
            for address in endpoint.get("addresses", ())
            for port in item.get("ports") or ()
        )
    )


def require_rights(api: ApiSession, plan: ClassPlan) -> None:
    """Make sure that we may make a class, before anything is made.

    Raises
    ------
    ApiRefusedError
        Names the rights that are missing.
    """
    needed = [
        Right("list", "", "namespaces"),
        Right("create", "", "namespaces"),
        Right("patch", "", "namespaces"),
        Right("create", "", "serviceaccounts/token", words="donner un jeton aux étudiants"),
        Right("create", RBAC, "roles"),
        Right("create", RBAC, "rolebindings"),
        Right("create", "", "resourcequotas"),
        Right("create", "", "limitranges"),
    ]
    if plan.network:
        needed.append(Right("create", "networking.k8s.io", "networkpolicies"))
    if plan.policy:
        group = objects.POLICY_API.partition("/")[0]
        needed.append(Right("create", group, "validatingadmissionpolicies"))
    require(
        api,
        needed,
        f"Créer la classe « {plan.name} »",
        "« k8s-lab class rights » écrit ce qu’il faut demander à l’administrateur du cluster ; sans la règle "
        "d’admission : --no-policy. Rien n’a été créé.",
    )


def require_free(api: ApiSession, plan: ClassPlan) -> tuple[str, ...]:
    """Make sure that every name of the class is free or the class's own; return its other students on the cluster.

    Raises
    ------
    ApiRefusedError
        A name belongs to somebody else.
    """
    there = {
        item["metadata"]["name"]: item["metadata"].get("labels") or {}
        for item in api.request("GET", "/api/v1/namespaces")["items"]
    }
    if plan.hub_namespace and plan.hub_namespace not in there:
        raise UsageError(
            f"Créer la classe « {plan.name} »",
            f"l’espace de noms « {plan.hub_namespace} » du JupyterHub n’existe pas",
            "Installez d’abord le hub, ou corrigez --hub-namespace ; rien n’a été touché.",
        )
    owners = {name: student.id for student in plan.students for name in plan.namespaces_of(student)}
    strangers = [
        f"l’espace de noms « {name} »"
        for name, student in sorted(owners.items())
        if name in there and not _carries(there[name], class_labels(plan.name, student))
    ]
    kinds = Kinds(api)
    for item in objects.of_class(plan):
        with ignoring(403, 404):
            found = api.request("GET", kinds.of(item).path("", item["metadata"]["name"]))
            if not _carries(found["metadata"].get("labels") or {}, class_labels(plan.name)):
                strangers.append(f"l’objet {item['kind']} « {item['metadata']['name']} »")
    if strangers:
        raise ApiRefusedError(
            f"Créer la classe « {plan.name} »",
            f"ces noms sont pris, et ce n’est pas cette classe qui les a : {', '.join(strangers)}",
            "Prenez un autre nom de classe (--class) ; rien n’a été touché.",
        )
    known = {
        labels.get(STUDENT_LABEL, "")
        for labels in there.values()
        if _carries(labels, class_labels(plan.name))
    }
    return tuple(sorted(known - {student.id for student in plan.students} - {""}))


def _carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= labels.items()


def create(
    api: ApiSession,
    plan: ClassPlan,
    *,
    expires: datetime,
    folder: Path,
    server: str = "",
    progress: Progress,
) -> Made:
    """Make a class, or make what is missing of it, and write a kubeconfig with a new token for each student.

    Parameters
    ----------
    plan : ClassPlan
        What `surveyed` returned.
    expires : datetime
        When the tokens are to end, with its zone.
    folder : Path
        Where the kubeconfigs go.
    server : str
        The API server's URL for the students, where it is another one than here.

    Raises
    ------
    ApiRefusedError
        A name belongs to somebody else (nothing is touched), or some students' parts failed (the others' are made).
    """
    require_rights(api, plan)
    others = require_free(api, plan)
    apply = applier(api)
    with api.patient(PATIENCE_S):
        progress.step("Règle d’admission de la classe" if plan.policy else "Classe")
        for item in objects.of_class(plan):
            apply(item)

        def make(name: str) -> StudentAccess:
            student = by_id[name]
            for item in objects.of_student(plan, student):
                apply(item)
            return _issue(api, plan.name, student.id, expires, folder, server)

        by_id = {student.id: student for student in plan.students}
        title = f"Classe « {plan.name} »"
        outcomes = for_each(by_id, make, progress, title)
    if outcomes.failed:
        raise _partial(plan, outcomes.failed)
    made = tuple(outcomes.done[name] for name in sorted(outcomes.done))
    return Made(made, len(objects.of_all(plan)), others)


def renew(
    api: ApiSession,
    class_name: str,
    students: Sequence[str],
    *,
    expires: datetime,
    folder: Path,
    server: str = "",
    progress: Progress,
) -> tuple[StudentAccess, ...]:
    """Write kubeconfigs with new tokens for students whose class is there; nothing else is touched.

    Parameters and errors as `create`.
    """

    def issue(student: str) -> StudentAccess:
        return _issue(api, class_name, student, expires, folder, server)

    with api.patient(PATIENCE_S):
        outcomes = for_each(students, issue, progress, "Nouveaux jetons")
    if outcomes.failed:
        raise ApiRefusedError(
            f"Renouveler les jetons de la classe « {class_name} »",
            reasons(outcomes.failed),
            "Corrigez cela, puis relancez la même commande.",
        )
    return tuple(outcomes.done[name] for name in sorted(outcomes.done))


def _issue(
    api: ApiSession, class_name: str, student: str, expires: datetime, folder: Path, server: str
) -> StudentAccess:
    """Write a student's kubeconfig, and on the home namespace when its token ends."""
    made = credentials.issue(api, class_name, student, expires, folder, server)
    ends = made.expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"metadata": {"annotations": {TOKEN_END: ends}}}
    path = f"/api/v1/namespaces/{home_name(class_name, student)}"
    api.request("PATCH", path, body=body, content_type=MERGE_PATCH)
    return made


def _partial(plan: ClassPlan, failed: Mapping[str, K8sHelpersError]) -> ApiRefusedError:
    total = len(plan.students)
    return ApiRefusedError(
        f"Créer la classe « {plan.name} »",
        f"{len(failed)} sur {total} n’ont pas tout : {reasons(failed)}",
        "Corrigez cela, puis relancez la même commande : elle reprend où elle en était.",
    )


def applier(api: ApiSession) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what applies an object (server-side apply), for several threads: kinds are asked once."""
    kinds = Kinds(api)
    kinds.find("namespaces")
    query = {"fieldManager": MANAGER, "force": True}

    def apply(item: Mapping[str, Any]) -> dict[str, Any]:
        metadata = item["metadata"]
        path = kinds.of(item).path(metadata.get("namespace", ""), metadata["name"])
        return api.request("PATCH", path, query=query, body=item, content_type=APPLY_PATCH)

    return apply


def rehearse(api: ApiSession, plan: ClassPlan, progress: Progress) -> int:
    """Have the server judge the objects of the class without keeping them (`dryRun`); return how many it judged.

    Those of one student stand for the others', which differ by names alone. What goes into a namespace that is not
    there yet is judged in `default`.

    Raises
    ------
    ApiRefusedError
        It refuses one, or a name belongs to somebody else.
    """
    require_free(api, plan)
    kinds = Kinds(api)
    students: Sequence[Member] = plan.students[:1]
    judged = [
        *objects.of_class(plan),
        *(item for student in students for item in objects.of_student(plan, student)),
    ]
    there = {item["metadata"]["name"] for item in api.request("GET", "/api/v1/namespaces")["items"]}
    query = {"fieldManager": MANAGER, "force": True, "dryRun": "All"}
    progress.step("Essai à blanc")
    for item in judged:
        home = item["metadata"].get("namespace", "")
        if home and home not in there:
            home = _SCRATCH
            item = {**item, "metadata": {**item["metadata"], "namespace": home}}
        path = kinds.of(item).path(home, item["metadata"]["name"])
        api.request("PATCH", path, query=query, body=item, content_type=APPLY_PATCH)
    return len(judged)


def members(api: ApiSession, class_name: str) -> tuple[str, ...]:
    """Return the ids of the students whose namespaces are on the cluster.

    Raises
    ------
    UsageError
        There is no such class.
    """
    query = {"labelSelector": label_selector(class_labels(class_name))}
    items = api.request("GET", "/api/v1/namespaces", query=query)["items"]
    found = {item["metadata"]["labels"].get(STUDENT_LABEL, "") for item in items} - {""}
    if not found:
        raise UsageError(
            f"Trouver la classe « {class_name} » sur {api.server}",
            "aucun espace de noms n’a ses étiquettes",
            "Vérifiez le nom (--class) et le cluster (--kubeconfig), ou créez-la : « k8s-lab class create ».",
        )
    return tuple(sorted(found))
