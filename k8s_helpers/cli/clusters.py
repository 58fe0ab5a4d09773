"""`k8s-lab up`, `down`, `status`, `kubectl`, `env`, `namespaces` and `fetch`: the cluster itself."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from embedded_kubernetes.processes import replace_by

from .._errors import UsageError
from .._progress import reporting
from .french import FrenchCommand, FrenchGroup
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from ..providers.base import Status

STATES = {
    "absent": "absent",
    "stopped": "arrêté",
    "starting": "en train de démarrer",
    "running": "en marche",
    "broken": "en panne",
}
"""What the states of a cluster are called in French."""


@click.command(cls=FrenchCommand, help="Démarre le cluster, ou le retrouve en marche.")
@click.option("--nodes", metavar="N", type=int, help="Pour embedded : nombre de nœuds simulés.")
@cluster_options
def up(selection: Selection, nodes: int | None) -> None:
    """Start the cluster or find it running."""
    selection.start(nodes)
    click.echo('Pour kubectl dans ce terminal : eval "$(k8s-lab env)"')


@click.command(
    cls=FrenchCommand, help="Arrête et efface le cluster que « up » a fait, rien d’autre."
)
@cluster_options
def down(selection: Selection) -> None:
    """Delete what `up` made."""
    from .. import providers

    provider = selection.open()
    with reporting(None) as progress:
        provider.down(progress)
    providers.forget(provider)
    click.echo(f"Cluster « {provider.name} » ({provider.kind}) arrêté.")


@click.command(cls=FrenchCommand, help="Dit l’état du cluster. Code 0 s’il marche, 5 sinon.")
@click.option("--json", "as_json", is_flag=True, help="Pour un programme.")
@cluster_options
def status(selection: Selection, as_json: bool) -> int:
    """Tell the state; exit code 0 where the cluster runs, 5 otherwise."""
    cluster = selection.open().status()
    click.echo(json.dumps(_plain(cluster), ensure_ascii=False) if as_json else _describe(cluster))
    return 0 if cluster.state == "running" else 5


def _plain(cluster: Status) -> dict[str, Any]:
    plain = asdict(cluster)
    plain["kubeconfig"] = str(cluster.kubeconfig) if cluster.kubeconfig else None
    return plain


def _describe(cluster: Status) -> str:
    lines = [f"Cluster « {cluster.name} » ({cluster.provider}) : {STATES[cluster.state]}"]
    if cluster.kubernetes_version:
        lines.append(f"  Kubernetes {cluster.kubernetes_version}")
    if cluster.detail:
        lines.append(f"  {cluster.detail}")
    for component in cluster.components:
        sign = "✔" if component.running and not component.trouble else "✘"
        lines.append(f"  {sign} {component.name} {component.detail}".rstrip())
    if cluster.kubeconfig and cluster.state == "running":
        lines.append(f"  KUBECONFIG={cluster.kubeconfig}")
    return "\n".join(lines)


class _Passing(FrenchCommand):
    """A command whose words are all for another program: `--` too, which click would take for itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words as they are."""
        ctx.params["arguments"] = tuple(args)
        return []


@click.command(
    cls=_Passing, help="kubectl sur le cluster du cours : « k8s-lab kubectl get pods -A »."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kubectl(arguments: tuple[str, ...]) -> None:
    """Become kubectl on the current cluster: its terminal, its signals and its exit code are the student's."""
    from ..cluster.clusters import environment

    provider = Selection().running()
    replace_by(["kubectl", *arguments], environment(provider))


@click.command(cls=FrenchCommand, help='Pour ce terminal : eval "$(k8s-lab env)".')
@cluster_options
def env(selection: Selection) -> None:
    """Print the shell lines that make a terminal use the cluster."""
    from ..cluster.clusters import environment

    for name, value in environment(selection.running()).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@click.group(
    cls=FrenchGroup,
    invoke_without_command=True,
    subcommand_metavar="[COMMANDE]…",
    help="Vos espaces de noms : à quoi chacun sert (sans commande), et comment en rendre un.",
)
@click.pass_context
def namespaces(context: click.Context) -> None:
    """List the student's namespaces, where no other command is given."""
    if context.invoked_subcommand is None:
        context.invoke(list_namespaces)


@namespaces.command("list", cls=FrenchCommand, help="Dit à quoi sert chaque espace de noms.")
@cluster_options
def list_namespaces(selection: Selection) -> None:
    """Print a table of the student's namespaces."""
    from ..cluster import Cluster

    rows = [("ESPACE DE NOMS", "POUR", "DEPUIS", "PAR")]
    for use in Cluster(selection.running()).namespace_uses():
        asked = use.asked or (f"libre, mais : {use.stuck}" if use.stuck else "libre")
        since = use.since.replace("T", " ").replace("Z", " UTC")
        holder = use.holder or ("un programme" if use.passing else "")
        rows.append((use.name, asked, since, holder if use.passing else ""))
    if len(rows) == 1:
        click.echo("Le cours n’a fait aucun espace de noms sur ce cluster.")
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for line in rows:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@namespaces.command(
    cls=FrenchCommand,
    help="Vide un espace de noms et le rend (dans une classe), ou le supprime (sinon) : par son nom, ou par ce pour "
    "quoi il sert.",
)
@click.argument("names", metavar="NOM…", nargs=-1, required=True)
@cluster_options
def free(selection: Selection, names: tuple[str, ...]) -> None:
    """Give namespaces back, by their real names or those that were asked for."""
    from ..cluster import Cluster

    cluster = Cluster(selection.running())
    asked = cluster.asked_names()
    for name in names:
        if name not in asked and name not in asked.values():
            raise UsageError(
                f"Rendre l’espace de noms « {name} »",
                "aucun de ceux dont vous vous servez ne porte ce nom",
                "« k8s-lab namespaces » les montre.",
            )
        cluster.namespace(asked.get(name, name)).delete()
        click.echo(f"« {name} » est rendu.")


@click.command(cls=FrenchCommand, help="Va chercher (ou compile) les programmes de Kubernetes.")
def fetch() -> None:
    """Make the embedded cluster's programs be there, and what its etcd begins with; nothing else."""
    from embedded_kubernetes.cluster import prepare

    with reporting(None) as progress:
        programs = prepare(progress)
    click.echo(f"Kubernetes {programs.kubernetes_version} : {programs.folder}")
