"""What may stand in a path of the API: a forgotten name must not turn one object into its whole collection. Pure.

`DELETE …/configmaps/` (an empty name) deletes every ConfigMap of the namespace: names are checked where a path is made
of them, and every path once more before it is sent.

Source: https://github.com/kubernetes/apimachinery/blob/v0.37.0/pkg/api/validation/path/name.go
"""

from __future__ import annotations

import re

from ._errors import UsageError

_WRONG = re.compile(r"[\s/%?#\\\x00-\x1f\x7f]")
_PROXIED = "/proxy/"
"""What follows it is a program's own path."""


def require_name(name: object, what: str) -> str:
    """Return a name that can be a part of a path.

    Parameters
    ----------
    name : object
        What the caller gave for a name.
    what : str
        What it names, in French: "un objet de type configmap".

    Raises
    ------
    UsageError
        Empty, no text, "." or "..", or with a character that would change the path.
    """
    tried = f"Désigner {what}"
    if name is None or name == "":
        raise UsageError(
            tried,
            "le nom est vide : cela voudrait dire tous les objets de ce type, et rien n’a été envoyé",
            "Donnez le nom de l’objet ; « kubectl get » montre ceux qui existent.",
        )
    if not isinstance(name, str):
        raise UsageError(
            tried,
            f"son nom est {name!r}, de type {type(name).__name__}",
            'Donnez un texte entre guillemets "…".',
        )
    if name in (".", "..") or (found := _WRONG.search(name)) is not None:
        wrong = name if name in (".", "..") else found[0] if found else ""
        raise UsageError(
            tried,
            f"le nom {name!r} contient {wrong!r}, qu’un nom ne peut pas avoir",
            "Donnez le nom seul, tel que « kubectl get » le montre.",
        )
    return name


def require_path(path: str) -> str:
    """Return a path of the API none of whose parts is empty or leads elsewhere.

    Raises
    ------
    UsageError
        It must not be sent.
    """
    named = path.partition(_PROXIED)[0]
    parts = named.partition("?")[0].split("/")
    root, *names = parts
    if root == "" and names and not any(_leads_elsewhere(name) for name in names):
        return path
    raise UsageError(
        f"Envoyer une requête à {path!r}",
        "un nom de ce chemin est vide ou incorrect ; rien n’a été envoyé",
        "Vérifiez les noms (espace de noms, objet) dont ce chemin est fait.",
    )


def _leads_elsewhere(part: str) -> bool:
    return part in ("", ".", "..") or re.search(r"\s", part) is not None
