"""Stands before Python's own `socket` in containers without namespaces, and becomes it: names are the pod's.

The C library reads the host's `/etc/hosts` and the host's name. `PYTHONPATH` puts this folder first, which works for
`python3 -S` too; `K8S_HOSTS` names the pod's file. What resolves through these functions finds the pod's names;
`connect()` with a name, or a program in another language, does not.
"""

from __future__ import annotations

import _socket
import importlib.machinery
import importlib.util
import os
import sys
from typing import Any


def _known(host: Any) -> Any:
    """Return the address that the pod's file has for a name; otherwise the name."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if not isinstance(name, str):
        return host
    name = name.rstrip(".").lower()
    try:
        with open(os.environ["K8S_HOSTS"], encoding="utf-8") as lines:  # noqa: PTH123 (quick start)
            for line in lines:
                address, *names = line.partition("#")[0].split() or [""]
                if name in names:
                    return address
    except (KeyError, OSError):
        pass
    return host


def _find_names_of_the_pod(function: str) -> None:
    own = getattr(_socket, function)

    def found(host: Any, *rest: Any, **named: Any) -> Any:
        return own(_known(host), *rest, **named)

    found.__name__, found.__doc__ = function, own.__doc__
    setattr(_socket, function, found)


def _become_pythons_own() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    others = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]  # noqa: PTH100
    spec = importlib.machinery.PathFinder.find_spec("socket", others)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["socket"] = module
    spec.loader.exec_module(module)


for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    _find_names_of_the_pod(_name)
_own_name = _socket.gethostname
_socket.gethostname = lambda: os.environ.get("HOSTNAME") or _own_name()
_become_pythons_own()
