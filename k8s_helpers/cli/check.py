"""What one look at the machine finds: the vocabulary of `k8s-lab doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "limited", "missing"]


@dataclass(frozen=True)
class Check:
    """What one look at the machine found.

    Attributes
    ----------
    subject : str
        What was looked at, in French.
    state : {"ok", "limited", "missing"}
        "limited": the course works, something in it does not.
    found : str
        What was observed.
    advice : str
        What to do about it; empty where there is nothing to do.
    stops : tuple of str
        Providers ("embedded", "kind") that cannot work as long as the state is "missing".
    """

    subject: str
    state: State
    found: str
    advice: str = ""
    stops: tuple[str, ...] = ()
