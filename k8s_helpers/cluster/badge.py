"""The badge under `connect()`: which cluster this is, and what in it is not the real thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .._french import count
from ..providers.base import Provider, ProviderName

_TITLES = {
    "kind": "kind (conteneurs)",
    "embedded": "cluster embarqué (processus)",
    "existing": "cluster existant",
}
_TABLE = "border-collapse:collapse;margin-top:.4em"
_CELL = "text-align:left;padding:.1em .8em .1em 0;vertical-align:top"


@dataclass(frozen=True)
class NotShown:
    """An experiment that cannot be shown on the cluster in use.

    Attributes
    ----------
    title : str
        What it is, as a French noun phrase with capital.
    reason : str
        One French sentence.
    instead : tuple of ProviderName
        The providers that can; the kept recording where there is none.
    """

    title: str
    reason: str
    instead: tuple[ProviderName, ...]


def text(provider: Provider, version: str) -> str:
    """Return the badge as one line of text."""
    return f"Cluster « {provider.name} » : {_TITLES[provider.kind]}, Kubernetes {version}"


def html(provider: Provider, version: str, not_shown: Sequence[NotShown] = ()) -> str:
    """Return the badge as accessible HTML: words carry the meaning, colours only repeat it.

    Parameters
    ----------
    provider : Provider
        The cluster in use.
    version : str
        The API server's `gitVersion`.
    not_shown : sequence of NotShown
        The experiments that it cannot show.
    """
    kubectl = f"<code>KUBECONFIG={escape(_from_home(provider.kubeconfig))}</code>"
    prefix = provider.namespace_prefix
    shared = (
        f"<br>Vos espaces de noms commencent par <code>{escape(prefix)}</code>." if prefix else ""
    )
    if (enrolment := provider.enrolment) is not None:
        shared = (
            f"<br>Classe <code>{escape(enrolment.class_name)}</code>, étudiant "
            f"<code>{escape(enrolment.student)}</code> : le cours travaille dans "
            f"{count(len(enrolment.namespaces), 'espace')} de noms que votre enseignant vous a donnés, les vide et les "
            "rend. <code>k8s-lab namespaces</code> dit à quoi chacun sert."
        )
    simulated = sum(not fact.real for fact in provider.facts_here())
    summary = (
        f"Ce qui n’est pas comme en production ici ({simulated} point{'s' if simulated > 1 else ''})"
        if simulated
        else "Ce cluster est le vrai, sans simulation"
    )
    return (
        f'<section lang="fr" aria-label="Cluster en usage" '
        f'style="border-left:.3em solid #0072b2;padding:.3em .8em">'
        f"<strong>{escape(text(provider, version))}</strong><br>"
        f"Pour kubectl, ici même : {kubectl}{shared}"
        f"<details><summary>{summary}</summary>{_facts(provider)}</details>"
        f"{_limits(not_shown)}</section>"
    )


def _facts(provider: Provider) -> str:
    rows = (
        (
            escape(fact.subject),
            f"<strong>{'réel' if fact.real else 'simulé'}</strong>",
            escape(fact.text),
        )
        for fact in sorted(provider.facts_here(), key=lambda fact: fact.real)
    )
    return _table(("Sujet", "Ici", "Précision"), rows)


def _limits(not_shown: Sequence[NotShown]) -> str:
    """Return the experiments that this cluster cannot show; nothing where it can show them all."""
    if not not_shown:
        return ""
    rows = (
        (
            escape(limit.title),
            escape(limit.reason),
            escape(", ".join(limit.instead) or "enregistrement"),
        )
        for limit in not_shown
    )
    summary = f"Ce qui ne se montre pas ici ({count(len(not_shown), 'expérience')})"
    table = _table(("Expérience", "Raison", "Où la voir"), rows)
    return f"<details><summary>{summary}</summary>{table}</details>"


def _table(header: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table of HTML whose first column names its rows."""
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:normal">{first}</th>'
        + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _from_home(path: Path) -> str:
    """Write a path as a shell takes it, without the user's name where it lies in their home."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
