"""Writes `docs/fidelite.md` from what each provider says of itself: `python -m k8s_helpers.cli.fidelity FILE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .. import labs
from ..labs.lab import Lab, Limit
from ..providers.base import FidelityFact, Provider
from ..providers.embedded_facts import HOST_NETWORK, WITHOUT_NAMESPACES

_HEAD = """\
# Fidélité

Ce que chaque sorte de cluster fait comme un cluster de production, et ce qu’elle ne fait pas. Cette page est produite
par `make docs` à partir de ce que le code dit de lui-même (`facts` de chaque fournisseur, `k8s_helpers/providers/`).
La même liste s’affiche sous `connect()` dans les notebooks.
"""

_TITLES = {
    "kind": "kind : un nœud dans un conteneur",
    "embedded": "embedded : le cluster embarqué",
    "existing": "existing : un cluster existant",
}

_NETWORK_TITLE = "embedded, là où un pod ne peut pas avoir son réseau"
_NETWORK_WORDS = (
    "Sans espaces de noms (ci-dessous), sans le module `veth` du noyau, ou pour un cluster d’une version d’avant."
    " `k8s-lab doctor` dit où l’on en est. Au lieu de ce qui est dit du réseau ci-dessus :"
)

_PREFIX_TITLE = "embedded, là où le noyau refuse les espaces de noms (isolation `prefix`)"
_PREFIX_WORDS = (
    "Sur Binder, dans beaucoup de conteneurs, et sous Ubuntu 24.04 ou plus récent tant qu’AppArmor n’est pas réglé "
    "([binder.md](binder.md)), ou avec `K8S_HELPERS_ISOLATION=prefix`. `k8s-lab doctor` dit où l’on en est. En plus de "
    "ce qui précède :"
)


def providers() -> tuple[type[Provider], ...]:
    """Return every kind of provider, in the order of the page."""
    from ..providers.embedded import EmbeddedProvider
    from ..providers.existing import ExistingProvider
    from ..providers.kind.provider import KindProvider

    return (KindProvider, EmbeddedProvider, ExistingProvider)


def page(
    kinds: Sequence[type[Provider]],
    experiments: Sequence[Lab] | None = None,
) -> str:
    """Return the whole page as Markdown, by default of all the labs."""
    experiments = [labs.get(name) for name in labs.LABS] if experiments is None else experiments
    sections = [
        *(_section(_TITLES[kind.kind], kind.facts()) for kind in kinds),
        _section(_NETWORK_TITLE, HOST_NETWORK, _NETWORK_WORDS),
        _section(_PREFIX_TITLE, WITHOUT_NAMESPACES, _PREFIX_WORDS),
        _refusals(experiments),
        _differences(experiments),
    ]
    return "\n".join([_HEAD, *sections])


def _section(title: str, facts: Sequence[FidelityFact], *words: str) -> str:
    rows = [
        f"| {fact.subject} | {'oui' if fact.real else '**non**'} | {fact.text} |" for fact in facts
    ]
    head = [f"## {title}", "", *(line for word in words for line in (word, ""))]
    return "\n".join([*head, "| sujet | comme en production | |", "|---|---|---|", *rows, ""])


def _refusals(experiments: Sequence[Lab]) -> str:
    """Return what experiments refuse to do, by the table that they refuse by."""
    rows = [
        f"| {lab.title} (`{lab.name}`) | {limit.provider} | {limit.reason} | {_instead(limit)} |"
        for lab in experiments
        for limit in lab.limits
    ]
    head = [
        "## Ce qu’une expérience ne peut pas montrer",
        "",
        "L’expérience le dit d’elle-même et s’arrête ; le badge sous `connect()` le dit aussi.",
        "",
    ]
    if not rows:
        return "\n".join([*head, "Toutes les expériences se montrent sur tous les clusters.", ""])
    return "\n".join(
        [*head, "| expérience | cluster | raison | où la voir |", "|---|---|---|---|", *rows, ""]
    )


def _instead(limit: Limit) -> str:
    return ", ".join(limit.instead) or "l’enregistrement gardé avec l’expérience"


def _differences(experiments: Sequence[Lab]) -> str:
    """Return the durations that kind and the embedded cluster do not share, one row a reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for lab in experiments:
        for duration in lab.explained.values():
            by_reason.setdefault((lab.name, duration.reason), []).append(duration.words)
    rows = [
        f"| `{experiment}` | {'<br>'.join(names)} | {reason} |"
        for (experiment, reason), names in by_reason.items()
    ]
    head = [
        "## Les durées qui diffèrent entre kind et le cluster embarqué",
        "",
        "Une même expérience y donne la même histoire : même ordre des événements, mêmes verdicts. Ses durées y sont "
        "égales à 20 % près, sauf celles-ci.",
        "",
        "| expérience | durée | raison |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(providers()), encoding="utf-8")
