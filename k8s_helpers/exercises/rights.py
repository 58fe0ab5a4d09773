"""When the API server goes by new rights: it learns of them a moment after they are written."""

from __future__ import annotations

import time
from collections.abc import Callable

from .._api import ApiSession, ApiStatusError
from ..cluster import Namespace

WITNESS = "temoin-des-droits"
"""Name of the account that a wait gives a right to, and of its Role and RoleBinding."""

_LONGEST_S = 20.0
_LOOK_S = 0.1
_GROUP = "rbac.authorization.k8s.io"
_OBJECTS = (
    {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "Role",
        "metadata": {"name": WITNESS},
        "rules": [{"apiGroups": [""], "resources": ["limitranges"], "verbs": ["list"]}],
    },
    {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": WITNESS},
        "subjects": [{"kind": "ServiceAccount", "name": WITNESS}],
        "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": WITNESS},
    },
)
"""A right that no exercise gives to anybody."""


def wait_learnt(namespace: Namespace, witness: ApiSession, pause: Callable[[float], None]) -> None:
    """Wait until the API server goes by every Role and RoleBinding of a namespace that was written before.

    It follows each kind by a watch, which tells in the order of writing: where it goes by a pair written last, it goes
    by all. Where it does not within `_LONGEST_S`, that is no error: what is asked for next will show it.

    Parameters
    ----------
    namespace : Namespace
        The exercise's own.
    witness : ApiSession
        Acts as the ServiceAccount `WITNESS` there.
    pause : callable
        Lets a number of seconds pass.
    """
    namespace.apply(_OBJECTS)
    end_s = time.monotonic() + _LONGEST_S
    while not _allowed(namespace, witness) and time.monotonic() < end_s:
        pause(_LOOK_S)
    for kind in ("rolebinding", "role"):
        namespace.delete_object(kind, WITNESS)


def _allowed(namespace: Namespace, witness: ApiSession) -> bool:
    try:
        witness.request("GET", namespace.path("limitrange"))
    except ApiStatusError as error:
        if error.code != 403:
            raise
        return False
    return True
