"""What differs from one sort of cluster to another: the words for the one in use, the others folded away."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from . import providers
from ._errors import UsageError
from ._french import NO_BREAK, nearest_or_all, typeset
from ._quoted import FOLDER
from .cluster import current_cluster
from .providers.base import ProviderName

FILE = FOLDER / "differences.yaml"

_WHERE: dict[ProviderName, str] = {
    "embedded": "Sur le cluster embarqué",
    "kind": "Sur kind",
    "existing": "Sur un cluster existant",
}
_FOLDED = "Et sur un autre cluster ?"
_STYLE = "border-left:.3em solid #0072b2;padding:.3em .8em"


@dataclass(frozen=True)
class Differences:
    """One subject: in a notebook the words for the cluster in use, then a closed fold with the others.

    Attributes
    ----------
    here : ProviderName
        The provider of the cluster in use.
    texts : mapping of ProviderName to str
        Markdown, by provider; one that is missing has nothing to be said about.
    """

    here: ProviderName
    texts: Mapping[ProviderName, str]

    def _others(self) -> list[ProviderName]:
        return [name for name in providers.NAMES if name in self.texts and name != self.here]

    def __repr__(self) -> str:
        shown = [name for name in (self.here, *self._others()) if name in self.texts]
        lines = (f"{_WHERE[name]}{NO_BREAK}: {self.texts[name].strip()}" for name in shown)
        return typeset("\n\n".join(lines))

    def _repr_html_(self) -> str:
        mine = self._titled(self.here) if self.here in self.texts else ""
        others = "".join(map(self._titled, self._others()))
        fold = f"<details><summary>{typeset(_FOLDED)}</summary>{others}</details>" if others else ""
        return (
            f'<section lang="fr" aria-label="Ce qui change d’un cluster à l’autre" style="{_STYLE}">'
            f"{mine}{fold}</section>"
        )

    def _titled(self, name: ProviderName) -> str:
        title = f"<p><strong>{escape(_WHERE[name])}</strong></p>"
        return title + _html(typeset(self.texts[name]))


def differences(subject: str) -> Differences:
    """Return what `notebooks/donnees/differences.yaml` says of a subject, for the cluster in use first.

    Parameters
    ----------
    subject : str
        A key of that file ("04-adresses").

    Raises
    ------
    UsageError
        There is no such subject.
    ClusterUnreachableError
        `connect` has not been called.
    """
    known = subjects()
    if subject not in known:
        raise UsageError(
            f"Dire ce qui change d’un cluster à l’autre pour « {subject} »",
            "il n’y a pas de texte de ce nom",
            nearest_or_all(subject, known, "Il y a"),
        )
    return Differences(current_cluster().provider.kind, known[subject])


@functools.cache
def subjects() -> dict[str, dict[ProviderName, str]]:
    """Return every subject's texts, by provider, as the file has them."""
    import yaml

    return yaml.safe_load(FILE.read_text(encoding="utf-8")) or {}


def _html(text: str) -> str:
    import mistune

    return str(mistune.create_markdown(escape=True)(text))
