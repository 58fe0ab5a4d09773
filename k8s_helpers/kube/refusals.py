"""What refusals and broken connections mean, in French: from HTTP status, `Status` object or exception. Pure.

The codes and reasons are those of the API conventions
(https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#response-status-kind).
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from .._errors import ApiRefusedError, ClusterUnreachableError, K8sHelpersError

_VERBS = {
    "GET": "Lire",
    "POST": "Créer",
    "PUT": "Remplacer",
    "PATCH": "Modifier",
    "DELETE": "Supprimer",
    "WATCH": "Suivre",
}

_NO_OBJECT = "unable to convert unstructured object"
_NO_QUANTITY = "quantities must match the regular expression"
_NAME_RULES = (
    (
        "RFC 1123 subdomain",
        "« - » ou « . », et commence et finit par une lettre ou un chiffre",
        253,
    ),
    ("RFC 1123 label", "« - », et commence et finit par une lettre ou un chiffre", 63),
    ("DNS-1035 label", "« - », et commence par une lettre", 63),
)
"""What the API server calls each rule, what it allows, and how long a name may be."""
_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<requested>.*), used: (?P<used>.*), limited: (?P<limit>.*)"
)
_CONFLICT = re.compile(r'conflict with "(?P<manager>[^"]+)"')


class ApiStatusError(ApiRefusedError):
    """A refusal, with what the API server said of it.

    Attributes
    ----------
    code : int
        HTTP status: 404 where the object does not exist, 409 where it does already …
    reason : str
        Kubernetes' own word ("NotFound", "AlreadyExists", "Forbidden", "Invalid" …).
    status : mapping
        The whole `Status` object of the answer, or {} where there was none.
    """

    def __init__(
        self,
        tried: str,
        found: str,
        advice: str,
        *,
        code: int,
        reason: str,
        status: Mapping[str, Any],
    ) -> None:
        super().__init__(tried, found, advice)
        self.code = code
        self.reason = reason
        self.status = status


class ClusterStoppedError(ClusterUnreachableError):
    """The cluster has stopped: unlike an API server that is being brought back, waiting for it is of no use."""


def status_of(data: bytes) -> dict[str, Any]:
    """Return the `Status` object of a refusal; an answer of something else than Kubernetes becomes its message."""
    with suppress(ValueError):
        plain = json.loads(data)
        if isinstance(plain, dict):
            return plain
    text = data.decode(errors="replace").strip()
    return {"message": text[:300]} if text else {}


@contextmanager
def ignoring(*codes: int) -> Iterator[None]:
    """Within the block, take a refusal of these HTTP statuses as no error: gone already (404), changed since (409)."""
    try:
        yield
    except ApiStatusError as error:
        if error.code not in codes:
            raise


def passing(error: K8sHelpersError) -> bool:
    """Return whether the same request may succeed in a moment: the server is away, in trouble or busy."""
    if isinstance(error, ApiStatusError):
        return error.code == 429 or error.code >= 500
    return isinstance(error, ClusterUnreachableError) and not isinstance(error, ClusterStoppedError)


def explain(method: str, path: str, code: int, status: Mapping[str, Any]) -> ApiStatusError:
    """Return the error that says what a refusal means and what to do.

    Parameters
    ----------
    method : str
        HTTP method, or "WATCH".
    path : str
        The request's path.
    code : int
        HTTP status of the answer.
    status : mapping
        The answer's `Status` object, or {}.
    """
    message = str(status.get("message") or f"réponse HTTP {code}")
    reason = str(status.get("reason") or "")
    found, advice = _words(code, reason, message)
    tried = f"{_VERBS.get(method, method)} {_readable(path)}"
    return ApiStatusError(tried, found, advice, code=code, reason=reason, status=status)


def _readable(path: str) -> str:
    """Turn a path of the API into words: kind, name, namespace."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else parts
    where = ""
    if len(parts) > 2 and parts[0] == "namespaces":
        where = f" dans l’espace de noms « {parts[1]} »"
        parts = parts[2:]
    return ("/".join(parts) or path) + where


def _words(code: int, reason: str, message: str) -> tuple[str, str]:
    if code == 401:
        return (
            f"le serveur ne reconnaît pas l’identité du kubeconfig ({message})",
            "Son certificat ou son jeton est périmé, ou vient d’un autre cluster (recréé par un autre notebook ?) : "
            "relancez la cellule « connect() », ou « k8s-lab up » ; sinon demandez-en un nouveau, et donnez-le : "
            'connect("existing", kubeconfig="…").',
        )
    if code == 403:
        return forbidden(message)
    if code == 404:
        return (
            f"cela n’existe pas : {message}",
            "Vérifiez le nom, le type et l’espace de noms (« kubectl get » montre ce qui existe).",
        )
    if code == 405:
        return (
            f"ce type d’objet ne permet pas cette opération : {message}",
            "Choisissez une autre opération.",
        )
    if code == 409:
        return _conflict(reason, message)
    if code == 413:
        return (
            f"l’objet est trop gros : {message}",
            "Un objet tient en 1,5 Mo : gardez les données ailleurs.",
        )
    if (rule := name_rule(message)) is not None:
        return "ce n’est pas un nom possible", rule
    if code in (400, 415, 422):
        return (
            f"le serveur juge l’objet incorrect : {message}",
            "Corrigez le champ que le message nomme ; « kubectl explain » en donne la forme attendue.",
        )
    if _NO_QUANTITY in message:  # the API server answers 500 to it
        return (
            f"une quantité est mal écrite : {message}",
            "Une quantité est un nombre, suivi ou non d’une unité : 2, 500m, 64Mi, 1Gi. Sans espace, sans « o » final.",
        )
    if _NO_OBJECT in message:  # 500 again, for what is no base64 in a Secret for instance
        return (
            f"le serveur ne sait pas lire l’objet : {message}",
            "Corrigez la valeur que la fin du message décrit (sous « data », un Secret veut du base64).",
        )
    if code == 429:
        return f"le serveur demande d’attendre : {message}", "Réessayez dans quelques secondes."
    return (
        f"le serveur est en difficulté (HTTP {code}) : {message}",
        "Réessayez dans quelques secondes ; si cela dure, « k8s-lab status » dit quel composant est en panne.",
    )


def name_rule(message: str) -> str | None:
    """Return, in French, the rule that a name breaks, where the API server quotes one; None otherwise.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names
    """
    for sign, characters, longest in _NAME_RULES:
        if sign in message:
            return (
                f"Un nom a ici des minuscules sans accent, des chiffres et {characters}, "
                f"{longest} caractères au plus : « mon-app-2 », par exemple."
            )
    return None


def exceeded(message: str) -> tuple[str, ...]:
    """Return the resources whose quota a refusal says to be full ("pods", "requests.memory"); () for another one."""
    quota = _QUOTA.search(message)
    if quota is None:
        return ()
    return tuple(part.partition("=")[0].strip() for part in quota["requested"].split(","))


def forbidden(message: str) -> tuple[str, str]:
    """Return what the message of a refusal for want of rights, quota or policy means, and what to do about it."""
    if quota := _QUOTA.search(message):
        return (
            f"le quota « {quota['quota']} » serait dépassé : demandé {quota['requested']}, "
            f"déjà utilisé {quota['used']}, limite {quota['limit']}",
            "Demandez moins (replicas, requests, limits), ou supprimez ce qui ne sert plus.",
        )
    if "being terminated" in message:
        return (
            f"l’espace de noms a été supprimé entre-temps, et est en train de disparaître : {message}",
            "Attendez qu’il ait disparu, puis relancez la cellule : elle en refait un.",
        )
    if "violates PodSecurity" in message:
        return (
            f"la politique de sécurité des pods le refuse : {message}",
            "Corrigez le « securityContext » comme le message le demande.",
        )
    if "provide a replacement" in message or "must specify" in message:
        return (
            f"un quota exige des limites : {message}",
            "Déclarez « resources.requests » et « resources.limits ».",
        )
    return (
        f"le serveur vous le refuse : {message}",
        "Votre compte n’en a pas le droit : restez dans vos espaces de noms, "
        "ou demandez ce droit (RBAC) à l’enseignant.",
    )


def _conflict(reason: str, message: str) -> tuple[str, str]:
    if reason == "AlreadyExists":
        return (
            f"cela existe déjà : {message}",
            "Choisissez un autre nom, ou supprimez d’abord l’ancien.",
        )
    if managers := sorted(set(_CONFLICT.findall(message))):
        return (
            f"ces champs appartiennent à « {', '.join(managers)} » : {message}",
            "Laissez ces champs à qui les gère, ou supprimez l’objet puis appliquez de nouveau le vôtre.",
        )
    return (
        f"l’objet a changé entre-temps : {message}",
        "Relisez-le, puis refaites votre changement sur sa nouvelle version.",
    )


def explain_network(error: Exception) -> tuple[str, str]:
    """Say why a server could not be reached, from the error at the bottom of the pile."""
    cause: BaseException = error
    while (
        deeper := cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)
    ) and isinstance(deeper, BaseException):
        cause = deeper
    text = str(cause)
    if isinstance(cause, ssl.SSLCertVerificationError):
        if "expired" in text:
            return (
                f"le certificat du serveur est périmé ({cause.verify_message})",
                "Vérifiez la date de cette machine ; sinon, recréez le cluster (« k8s-lab down », « k8s-lab up »).",
            )
        return (
            f"le certificat du serveur n’est pas celui que le kubeconfig attend ({cause.verify_message})",
            "Le cluster a sans doute été recréé depuis, par un autre notebook ou un terminal : relancez la cellule "
            "« connect() » (dans un terminal, reprenez le kubeconfig du cluster actuel).",
        )
    if isinstance(cause, ssl.SSLError):
        return (
            f"la connexion TLS échoue ({text})",
            "Vérifiez que l’adresse est celle d’un serveur d’API (https).",
        )
    if isinstance(cause, ConnectionRefusedError):
        return (
            "personne n’écoute à cette adresse : le cluster est arrêté, ou le kubeconfig est ancien",
            "Relancez la cellule « connect() » (dans un terminal, « k8s-lab up »), puis recommencez.",
        )
    if isinstance(cause, TimeoutError) or "timed out" in text:
        return (
            "aucune réponse dans le temps imparti",
            "Vérifiez le réseau (VPN, pare-feu) et l’état du cluster (« k8s-lab status »).",
        )
    if "resolve" in type(cause).__name__.lower() or type(cause).__name__ == "gaierror":
        return (
            f"ce nom de machine est inconnu ({text})",
            "Vérifiez l’adresse dans le kubeconfig, et le réseau.",
        )
    return (
        f"la connexion est coupée ({type(cause).__name__} : {text})",
        "Réessayez ; si cela dure, « k8s-lab status » dit l’état du cluster.",
    )
