"""`docs/conformance.md`: what a run of the suite has given. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .reasons import reason
from .results import Spec, count, tried


@dataclass(frozen=True)
class Run:
    """A run of the suite.

    Attributes
    ----------
    version : str
        The suite's.
    cluster : str
        What it ran on, in French.
    specs : tuple of Spec
        In the order in which they were asked for.
    """

    version: str
    cluster: str
    specs: tuple[Spec, ...]


_HEAD = """# Conformité

Kubernetes a sa propre suite de tests, `e2e.test`, avec laquelle ses distributions prouvent qu’elles en sont. En voici
une partie, exécutée telle quelle sur le cluster embarqué : chaque test crée ses objets par l’API et regarde ce que le
cluster en fait. Cette page est écrite par `make conformance`, d’après ce que la suite a répondu, et rien n’y est ajouté
à la main ; les raisons des échecs viennent de `benchmarks/conformance/reasons.toml`.

Suite : Kubernetes {version}. Cluster : {cluster}.

Les tests marqués `Serial` ou `Disruptive` n’y sont pas, ni ceux de l’API elle-même : le serveur d’API, etcd, les
contrôleurs et l’ordonnanceur sont ici les vrais.
"""


def page(run: Run, reasons: Mapping[str, str]) -> str:
    """Return the page's text; reasons are Markdown, names and messages are not."""
    parts = [_HEAD.format(version=run.version, cluster=run.cluster), _table(run.specs)]
    failed = [spec for spec in run.specs if spec.outcome == "failed"]
    if failed:
        rows = [f"| {_code(spec.name)} | {reason(spec.name, reasons)} |" for spec in failed]
        parts.append(_section("Ce qui échoue, et pourquoi", "| test | raison |", rows))
    skipped = [spec for spec in run.specs if spec.outcome == "skipped"]
    if skipped:
        rows = [f"| {_code(spec.name)} | {_code(spec.message)} |" for spec in skipped]
        parts.append(
            _section("Ce que la suite a elle-même écarté", "| test | ce qu’elle en dit |", rows)
        )
    return "\n".join(parts)


def _table(specs: Sequence[Spec]) -> str:
    areas: dict[str, list[Spec]] = {}
    for spec in specs:
        areas.setdefault(spec.area, []).append(spec)
    rows = [
        "## Par domaine",
        "",
        "| domaine | réussis | essayés | part |",
        "|---|---|---|---|",
        *(_row(_code(name), areas[name]) for name in sorted(areas)),
        _row("**ensemble**", specs),
    ]
    return "\n".join(rows) + "\n"


def _row(name: str, specs: Sequence[Spec]) -> str:
    passed, all_of_them = count(specs)["passed"], tried(specs)
    share = f"{100 * passed / all_of_them:.1f} %".replace(".", ",") if all_of_them else "–"
    return f"| {name} | {passed} | {all_of_them} | {share} |"


def _section(title: str, head: str, rows: Sequence[str]) -> str:
    return "\n".join((f"## {title}", "", head, "|---|---|", *rows)) + "\n"


def _code(text: str) -> str:
    """Return a text as code in a cell of a table: a name of the suite's, neither French nor marks of its own."""
    return f"`{text.replace('|', chr(92) + '|')}`"
