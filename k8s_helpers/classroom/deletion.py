"""The end of a class: what carries its labels and the names that go with them is deleted, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import ApiRefusedError, UsageError, WaitTimeoutError
from .._progress import Progress
from ..builds import plain_names
from ..kube.api import ApiSession
from ..kube.classes import (
    CLASS_LABEL,
    HOME,
    MANAGED_BY,
    ROLE_LABEL,
    STUDENT_LABEL,
    class_labels,
    home_name,
    label_selector,
)
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until
from . import credentials, objects
from .concurrency import for_each, reasons

GONE_S = 300.0
"""Longest wait for namespaces to go: pods get their time to stop."""

_SHOWN = 4
"""Most namespaces that a message names."""
_LOOK_S = 1.0
KINDS = ("validatingadmissionpolicybindings", "validatingadmissionpolicies")
"""Binding first: the policy counts for nobody from then on."""


@dataclass(frozen=True)
class Deleted:
    """What `delete` took away.

    Attributes
    ----------
    namespaces : tuple of str
        Their names.
    others : tuple of str
        Objects outside of them, as "kind/name": the admission policy, accounts of a JupyterHub.
    files : tuple of Path
        Kubeconfigs.
    """

    namespaces: tuple[str, ...]
    others: tuple[str, ...]
    files: tuple[Path, ...] = ()


def delete(
    api: ApiSession,
    class_name: str,
    *,
    student: str | None = None,
    folder: Path | None = None,
    progress: Progress,
    timeout_s: float = GONE_S,
) -> Deleted:
    """Delete a class, or one student of it, and wait until all is gone.

    Parameters
    ----------
    student : str, optional
        The id of the only one to delete; the class's own objects then stay.
    folder : Path, optional
        Where the kubeconfigs are that are to go too.
    timeout_s : float
        Longest wait, in seconds.

    Raises
    ------
    UsageError
        There is no such class, or no such student.
    ApiRefusedError
        A namespace has the class's label and another's name: nothing is touched.
    WaitTimeoutError
        Says which namespaces are still there, and what holds them back.
    """
    found = _namespaces(api, class_name)
    _require_own(found, class_name)
    chosen = [
        item for item in found if student in (None, item["metadata"]["labels"][STUDENT_LABEL])
    ]
    others = _hub_accounts(api, class_name, student)
    if student is None:
        others += _policies(api, class_name)
    if not chosen and not others:
        raise _absent(api, class_name, student, found)
    _delete_namespaces(api, class_name, chosen, progress)
    _wait_gone(api, [item["metadata"]["name"] for item in chosen], progress, timeout_s)
    for path in others:
        progress.step(f"Suppression de {'/'.join(path.split('/')[-2:])}")
        with ignoring(404):
            api.request("DELETE", path)
    removed = _remove_files(folder, class_name, student) if folder is not None else ()
    return Deleted(
        tuple(sorted(item["metadata"]["name"] for item in chosen)),
        tuple("/".join(path.split("/")[-2:]) for path in others),
        tuple(removed),
    )


def _namespaces(api: ApiSession, class_name: str) -> list[dict[str, Any]]:
    query = {"labelSelector": f"{CLASS_LABEL}={class_name}"}
    items: list[dict[str, Any]] = api.request("GET", "/api/v1/namespaces", query=query)["items"]
    return items


def _require_own(found: Iterable[Mapping[str, Any]], class_name: str) -> None:
    """Refuse where something has the label and was not made by `class create`: somebody copied a manifest."""
    strangers = sorted(
        item["metadata"]["name"] for item in found if not _made_here(item["metadata"], class_name)
    )
    if strangers:
        raise ApiRefusedError(
            f"Supprimer la classe « {class_name} »",
            f"{', '.join(strangers)} : l’étiquette de la classe y est, mais « k8s-lab class create » ne l’a pas créé",
            "Regardez à qui il est ; s’il n’est pas à la classe, enlevez-lui son étiquette : « kubectl label "
            f"namespace {strangers[0]} {CLASS_LABEL}- ». Rien n’a été supprimé.",
        )


def _made_here(metadata: Mapping[str, Any], class_name: str) -> bool:
    labels = metadata.get("labels") or {}
    student, role = labels.get(STUDENT_LABEL, ""), labels.get(ROLE_LABEL, "")
    home = re.escape(home_name(class_name, student))
    name = home if role == HOME else rf"{home}-[1-9][0-9]*"
    ours = MANAGED_BY.items() <= labels.items()
    return bool(student) and ours and re.fullmatch(name, metadata["name"]) is not None


def _policies(api: ApiSession, class_name: str) -> list[str]:
    """Return the paths of the class's cluster-wide objects that are there and carry its labels."""
    found = []
    named = [(kind, objects.policy_name(class_name)) for kind in KINDS]
    named += [
        (kind, plain_names.policy_name(class_name)) for kind in reversed(plain_names.RESOURCES)
    ]
    for kind, name in named:
        path = f"/apis/{objects.POLICY_API}/{kind}/{name}"
        with ignoring(403, 404):
            labels = api.request("GET", path)["metadata"].get("labels") or {}
            if class_labels(class_name).items() <= labels.items():
                found.append(path)
    return found


def _hub_accounts(api: ApiSession, class_name: str, student: str | None) -> list[str]:
    """Return the paths of the accounts of the class that are in a JupyterHub's namespace."""
    query = {"labelSelector": label_selector(class_labels(class_name, student or ""))}
    items: list[dict[str, Any]] = []
    with ignoring(403):
        items = api.request("GET", "/api/v1/serviceaccounts", query=query)["items"]
    return [
        f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{metadata['name']}"
        for metadata in (item["metadata"] for item in items)
        if metadata["name"] == home_name(class_name, metadata["labels"].get(STUDENT_LABEL, ""))
    ]


def _absent(
    api: ApiSession, class_name: str, student: str | None, found: Sequence[Mapping[str, Any]]
) -> UsageError:
    if student and found:
        ids = sorted({item["metadata"]["labels"][STUDENT_LABEL] for item in found})
        return UsageError(
            f"Supprimer « {student} » de la classe « {class_name} »",
            "personne n’y a cet identifiant",
            f"Elle a : {', '.join(ids)}.",
        )
    return UsageError(
        f"Supprimer la classe « {class_name} »",
        f"rien sur {api.server} n’a ses étiquettes : elle n’existe pas, ou plus",
        "Vérifiez le nom (--class) et le cluster (--kubeconfig) ; « kubectl get namespaces -L k8s-helpers/class » "
        "montre les classes. Rien n’a été supprimé.",
    )


def _delete_namespaces(
    api: ApiSession, class_name: str, chosen: Sequence[Mapping[str, Any]], progress: Progress
) -> None:
    """Ask for the deletion of each; the uid, so that one made anew meanwhile by someone else is left alone."""
    by_name = {item["metadata"]["name"]: item["metadata"] for item in chosen}

    def ask(name: str) -> bool:
        if "deletionTimestamp" not in by_name[name]:
            body = {"preconditions": {"uid": by_name[name]["uid"]}}
            with ignoring(404, 409):
                api.request("DELETE", f"/api/v1/namespaces/{name}", body=body)
        return True

    outcomes = for_each(by_name, ask, progress, "Demande de suppression")
    if outcomes.failed:
        raise ApiRefusedError(
            f"Supprimer la classe « {class_name} »",
            reasons(outcomes.failed),
            "Corrigez cela, puis relancez la même commande : elle reprend où elle en était.",
        )


def _wait_gone(api: ApiSession, names: Sequence[str], progress: Progress, timeout_s: float) -> None:
    wanted = set(names)

    def left() -> list[dict[str, Any]]:
        items = api.request("GET", "/api/v1/namespaces")["items"]
        still = [item for item in items if item["metadata"]["name"] in wanted]
        gone = len(wanted) - len(still)
        if wanted:
            progress.step(f"Disparition : {gone} sur {len(wanted)}", gone / len(wanted))
        return still

    def late(still: Sequence[Mapping[str, Any]]) -> WaitTimeoutError:
        stuck = sorted(still, key=lambda item: not _held_by(item))
        first = stuck[0]["metadata"]["name"]
        more = f" ; et {len(stuck) - _SHOWN} autres" if len(stuck) > _SHOWN else ""
        return WaitTimeoutError(
            "Attendre que les espaces de noms de la classe aient disparu",
            f"après {timeout_s:.0f} s il reste " + " ; ".join(map(_stuck, stuck[:_SHOWN])) + more,
            f"« kubectl get namespace {first} -o yaml » dit ce qui le retient (souvent un finalizer dont le contrôleur "
            "ne tourne plus) ; relancez ensuite la même commande, qui finit ce qui reste.",
        )

    wait_until(left, timeout_s, late, done=lambda still: not still, every_s=_LOOK_S)


def _stuck(namespace: Mapping[str, Any]) -> str:
    why = ", ".join(_held_by(namespace)) or "en train de disparaître"
    return f"« {namespace['metadata']['name']} » ({why})"


def _held_by(namespace: Mapping[str, Any]) -> list[str]:
    """Return what the namespace controller says that it waits for."""
    conditions = (namespace.get("status") or {}).get("conditions") or ()
    return [
        item["message"]
        for item in conditions
        if item.get("status") == "True" and item.get("message")
    ]


def _remove_files(folder: Path, class_name: str, student: str | None) -> list[Path]:
    removed = []
    for name, path in credentials.files(folder, class_name).items():
        if student in (None, name):
            path.unlink()
            removed.append(path)
    return removed
