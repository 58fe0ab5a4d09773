"""Server-side apply, and what its refusals mean for the manifest they are about."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._errors import K8sHelpersError, ManifestError, ManifestWarning
from ..kube.api import APPLY_PATCH, ApiSession
from ..kube.classes import CONFIG_MAP
from ..kube.discovery import Kind
from ..kube.manifests import Manifest, ManifestSyntaxError
from ..kube.refusals import ApiStatusError, exceeded, name_rule

_AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
_PACKAGE = str(Path(__file__).parents[1])
_COUNTED = {
    "pods": "/api/v1/namespaces/{}/pods",
    "services": "/api/v1/namespaces/{}/services",
    "configmaps": "/api/v1/namespaces/{}/configmaps",
    "secrets": "/api/v1/namespaces/{}/secrets",
    "persistentvolumeclaims": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "requests.storage": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "deployments": "/apis/apps/v1/namespaces/{}/deployments",
    "jobs": "/apis/batch/v1/namespaces/{}/jobs",
}
"""Where what a quota counts is listed."""
_USERS = 6
_BY_QUOTA = re.compile(r"exceeded quota: (?P<quota>[^,]+)")
_NODE_PORTS = re.compile(r"node ?-?ports?", re.IGNORECASE)
_NO_PORT_LEFT = "failed to allocate a nodePort: range is full"
"""A 500 of the API server (pkg/registry/core/service/portallocator)."""
FIELD_MANAGER = "k8s-helpers"

_TYPED = re.compile(r"^\s*(?P<path>\.[^\s:]+(?:\[[^\]]*\][^\s:]*)*): (?P<what>.+)$", re.MULTILINE)
_EXPECTED = re.compile(r"expected (?P<wanted>[^,]+), got (?P<got>.+)")
_GO_VALUE = re.compile(r"&value\.valueUnstructured\{Value:(.*)\}")
"""How the server writes a value that is no text."""
_TYPES = {
    "string": "un texte (entre guillemets)",
    "numeric (int or float)": "un nombre (sans guillemets)",
    "boolean": "true ou false",
    "list": "une liste (des lignes qui commencent par « - »)",
    "map": "un objet (des lignes « champ: valeur »)",
}


def apply(api: ApiSession, kind: Kind, manifest: Manifest, namespace: str) -> dict[str, Any]:
    """Apply one object and return it as the server has it now.

    Fields are taken over from other managers (`kubectl scale`, a controller), as `kubectl apply` does; where an
    autoscaler loses `replicas` so, a `ManifestWarning` says it.

    Raises
    ------
    ManifestError
        The server finds the object wrong: unknown field, wrong type, invalid value; with its line.
    ApiStatusError
        It refuses for another reason: rights, quota.

    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
    """
    name = manifest.object["metadata"]["name"]
    reset = _reset_replicas(api, kind, manifest, namespace)
    query = {"fieldManager": FIELD_MANAGER, "force": True, "fieldValidation": "Strict"}
    try:
        applied = api.request(
            "PATCH",
            kind.path(namespace, name),
            query=query,
            body=manifest.object,
            content_type=APPLY_PATCH,
        )
    except ApiStatusError as error:
        if (inside := without_node_port(manifest, error)) is not None:
            warnings.warn(
                f"{manifest.title} : ce cluster n’en veut pas de type NodePort ({error.found}). Il est créé en "
                "ClusterIP : les requêtes partent d’un pod du cluster.",
                ManifestWarning,
                stacklevel=_levels_to_caller(),
            )
            return apply(api, kind, inside, namespace)
        if resources := exceeded(str(error.status.get("message", ""))):
            error.found += _users(api, namespace, resources)
        raise explain(api, kind, manifest, error) from None
    if reset is not None:
        warnings.warn(reset, ManifestWarning, stacklevel=_levels_to_caller())
    return applied


def _users(api: ApiSession, namespace: str, resources: Iterable[str]) -> str:
    """Say, on lines of their own, who uses up the resources of a quota in a namespace."""
    lines = []
    for resource in resources:
        kind = resource.removeprefix("count/").partition(".")[0]
        path = _COUNTED.get(resource) or _COUNTED.get(kind)
        if resource.startswith(("requests.", "limits.")) and "storage" not in resource:
            path = _COUNTED["pods"]
        with contextlib.suppress(K8sHelpersError):
            items = api.request("GET", path.format(namespace))["items"] if path else []
            if items:
                lines.append(f"\n    {resource} : {group_by_owner(items)}")
    return "".join(lines)


def group_by_owner(items: Iterable[Mapping[str, Any]]) -> str:
    """Return how many objects each owner has, the greatest first: "web (8), essai (1)".

    Pods of a Deployment belong to its ReplicaSets, whose names are the Deployment's with a hash.
    """
    owners: Counter[str] = Counter()
    for item in items:
        metadata = item["metadata"]
        owner = next(iter(metadata.get("ownerReferences") or ()), None)
        name = str(owner["name"] if owner else metadata["name"])
        if owner is not None and owner["kind"] == "ReplicaSet":
            name = name.rpartition("-")[0] or name
        owners[name] += 1
    listed = [f"{name} ({count})" for name, count in owners.most_common(_USERS)]
    more = len(owners) - len(listed)
    return ", ".join(listed) + (f" et {more} autres" if more > 0 else "")


def without_node_port(manifest: Manifest, error: ApiStatusError) -> Manifest | None:
    """Return a Service of type NodePort as one of type ClusterIP, where the cluster refuses it for its type.

    Or has no port left: a cluster has 2768 by default, and a class shares them. None elsewhere, and where a quota
    refuses it that is not the class's: an exercise may be about that.
    """
    plain = manifest.object
    spec = plain.get("spec")
    if (
        plain["kind"] != "Service"
        or not isinstance(spec, Mapping)
        or spec.get("type") != "NodePort"
    ):
        return None
    message = str(error.status.get("message", ""))
    quota = _BY_QUOTA.search(message)
    used_up = _NO_PORT_LEFT in message
    if not used_up and (error.code not in (403, 422) or not _NODE_PORTS.search(message)):
        return None
    if quota is not None and quota["quota"] != CONFIG_MAP:
        return None
    if error.code == 422 and "ValidatingAdmissionPolicy" not in message:
        return None  # the object itself is wrong
    ports = [
        {name: value for name, value in port.items() if name != "nodePort"}
        for port in spec.get("ports", ())
    ]
    kept = {name: value for name, value in spec.items() if name != "externalTrafficPolicy"}
    return replace(
        manifest, object={**plain, "spec": {**kept, "type": "ClusterIP", "ports": ports}}
    )


def _levels_to_caller() -> int:
    """Return how far up the first code is that is not ours: a warning is about the line that a student wrote."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(
        (_PACKAGE, contextlib.__file__)
    ):
        level, frame = level + 1, frame.f_back
    return level


def _reset_replicas(api: ApiSession, kind: Kind, manifest: Manifest, namespace: str) -> str | None:
    """Return what to say where a manifest takes back the number of pods that an autoscaler has set; None elsewhere.

    `kubectl apply` does so in silence, until the autoscaler looks again; `kubectl apply --server-side` is refused for
    a conflict with kube-controller-manager.

    Source: https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
    """
    spec = manifest.object.get("spec")
    wanted = spec.get("replicas") if isinstance(spec, Mapping) else None
    if not isinstance(wanted, int) or not kind.namespaced:
        return None
    name = manifest.object["metadata"]["name"]
    try:
        scaler = next(
            (
                found["metadata"]["name"]
                for found in api.request("GET", _AUTOSCALERS.format(namespace))["items"]
                if _scales(found["spec"]["scaleTargetRef"], kind, name)
            ),
            None,
        )
        if scaler is None:
            return None
        now = api.request("GET", kind.path(namespace, name))["spec"].get("replicas")
    except ApiStatusError:  # no such object yet, or no right to read: nothing to say
        return None
    if now == wanted:
        return None
    place = manifest.place("spec.replicas")
    return (
        f"{manifest.title}{f' ({place})' if place else ''} : le manifeste demande replicas: {wanted}, alors que le "
        f"HorizontalPodAutoscaler « {scaler} » en avait mis {now}. Le nombre de pods revient donc à {wanted} jusqu’à "
        "ce que l’autoscaler regarde de nouveau (toutes les 15 s d’ordinaire) : c’est ce que fait aussi « kubectl "
        "apply », sans le dire ; « kubectl apply --server-side » refuse, car ce champ appartient à "
        "kube-controller-manager.\n"
        "  À faire : enlevez la ligne « replicas: … » du manifeste ; seul l’autoscaler décidera alors."
    )


def _scales(target: Mapping[str, Any], kind: Kind, name: str) -> bool:
    group = str(target.get("apiVersion", "")).rpartition("/")[0]
    return (target["kind"], target["name"], group) == (kind.name, name, kind.group)


def explain(
    api: ApiSession, kind: Kind, manifest: Manifest, error: ApiStatusError
) -> K8sHelpersError:
    """Return what a refusal means for the manifest, with the line; the refusal itself where it is about no field."""
    message = str(error.status.get("message", ""))
    faults = [(found["path"], found["what"]) for found in _TYPED.finditer(_after_header(message))]
    if not faults and error.code == 422:
        causes = error.status.get("details", {}).get("causes", ())
        faults = [(cause.get("field", ""), cause["message"]) for cause in causes]
    if not faults:
        return error
    path, what = faults[0]
    found, advice = _words(api, kind, path, what)
    for other, reason in faults[1:4]:
        place = manifest.place(other)
        found += f"\n    et aussi{f' ligne {place.line}' if place else ''} : {other.strip('.')} : {reason}"
    tried = f"Appliquer {manifest.title} ({manifest.source})"
    place = manifest.place(path)
    if place is None:
        return ManifestError(tried, found, advice)
    return ManifestSyntaxError(tried, place, found, advice)


def _after_header(message: str) -> str:
    """Drop "failed to create typed patch object (…): " from the first line, which names no field."""
    head, mark, rest = message.partition("): ")
    return rest if mark and head.startswith("failed to create typed") else ""


def _words(api: ApiSession, kind: Kind, path: str, what: str) -> tuple[str, str]:
    shown = path.strip(".")
    if "not declared in schema" in what:
        parent, _, name = shown.rpartition(".")
        known = known_fields(api, kind, parent)
        near = _nearest(name, known)
        found = f"le champ « {name} » n’existe pas" + (f" dans « {parent} »" if parent else "")
        if near:
            return found, f"Écrivez « {near} », le champ connu le plus proche."
        listed = f" Ici sont connus : {', '.join(sorted(known))}." if 0 < len(known) <= 25 else ""
        return found, f"Corrigez son nom ou son décalage (est-il dans le bon objet ?).{listed}"
    if (wrong := _EXPECTED.search(what)) is not None:
        wanted = _TYPES.get(wrong["wanted"], wrong["wanted"])
        text = _GO_VALUE.sub(r"\1", what)
        return f"« {shown} » est d’un mauvais type ({text})", f"Le champ attend {wanted}."
    if "Too long" in what and not shown.strip("[]"):  # the whole object
        return f"l’objet est trop gros ({what})", "Gardez-y moins de données, et le reste ailleurs."
    if "duplicate entries" in what:
        return (
            f"« {shown} » contient deux fois le même nom ({what})",
            "Donnez un nom différent à chaque élément.",
        )
    if "does not match template" in what:
        return (
            "le sélecteur ne correspond pas aux étiquettes du modèle de pod",
            "Recopiez « spec.selector.matchLabels » dans « spec.template.metadata.labels ».",
        )
    if "field is immutable" in what:
        return (
            f"« {shown} » ne peut plus changer ({what})",
            "Supprimez l’objet, puis appliquez le nouveau.",
        )
    if "Required value" in what:
        return f"le champ « {shown} » est obligatoire ({what})", "Ajoutez-le."
    if (rule := name_rule(what)) is not None:
        return f"« {shown} » n’est pas un nom possible", rule
    return (
        f"« {shown} » : {what}",
        "Corrigez ce champ ; « kubectl explain » en donne la forme attendue.",
    )


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the field that was meant: the same but for its capitals, one that is its beginning, or the most alike."""
    by_word = {item.lower(): item for item in sorted(known)}
    word = name.lower()
    begins = [item for item in by_word if len(item) > 2 and word.startswith(item)]
    near = [max(begins, key=len)] if begins else difflib.get_close_matches(word, by_word, 1, 0.6)
    return by_word[near[0]] if near else None


def known_fields(api: ApiSession, kind: Kind, path: str) -> list[str]:
    """Return the names that the server's schema knows at a path ("" for the top); [] where it has no schema there.

    Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
    """
    root = f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"
    try:
        schemas = api.request("GET", f"/openapi/v3/{root}")["components"]["schemas"]
    except (K8sHelpersError, KeyError):
        return []
    wanted = {"group": kind.group, "version": kind.version, "kind": kind.name}
    schema: Mapping[str, Any] | None = next(
        (
            found
            for found in schemas.values()
            if wanted in found.get("x-kubernetes-group-version-kind", ())
        ),
        None,
    )
    for name in re.findall(r"[^.\[\]]+(?![^\[]*\])", path):
        schema = _resolve(schema, schemas).get("properties", {}).get(name)
    return list(_resolve(schema, schemas).get("properties", {}))


def _resolve(schema: Mapping[str, Any] | None, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and lists to what they hold."""
    while schema is not None:
        if "$ref" in schema:
            schema = schemas.get(schema["$ref"].rpartition("/")[2])
        elif "allOf" in schema:
            schema = schema["allOf"][0]
        elif "items" in schema:
            schema = schema["items"]
        elif isinstance(schema.get("additionalProperties"), Mapping):
            schema = schema["additionalProperties"]
        else:
            return schema
    return {}
