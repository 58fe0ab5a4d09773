"""`k8s-lab class`: a class on one cluster, made, checked and taken away again by its teacher."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import _french
from .._errors import UsageError
from .._progress import reporting
from .french import FrenchCommand, FrenchGroup
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from ..classroom.creation import Made
    from ..classroom.credentials import StudentAccess
    from ..classroom.objects import ClassPlan
    from ..kube.api import ApiSession

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_DAYS = 120
_MOST_NAMESPACES = 20

classroom = FrenchGroup(
    "class", help="Une classe sur un cluster : la créer, la vérifier, la supprimer."
)

_class_option = click.option(
    "--class",
    "class_name",
    metavar="NOM",
    default="r509",
    help="Nom de la classe (« r509 » sinon).",
)
_out_option = click.option(
    "--out",
    metavar="DOSSIER",
    type=_FOLDER,
    help="Où sont les kubeconfigs des étudiants (un dossier au nom de la classe sinon).",
)
_until_option = click.option(
    "--until",
    metavar="AAAA-MM-JJ",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Dernier jour où les jetons sont valables.",
)
_days_option = click.option(
    "--days",
    metavar="N",
    type=float,
    default=_DAYS,
    help=f"Sinon, dans combien de jours ils finissent ({_DAYS}).",
)
_server_option = click.option(
    "--server",
    metavar="URL",
    default="",
    help="Adresse du serveur d’API pour les étudiants, si ce n’est pas celle de votre kubeconfig.",
)


@classroom.command(
    cls=FrenchCommand,
    help="Crée la classe, ou ce qui en manque : espaces de noms, droits, quotas, et un kubeconfig par étudiant. "
    "Donnée de nouveau, la commande complète, met à jour, et renouvelle les jetons.",
)
@_class_option
@click.option(
    "--students",
    metavar="LISTE.csv",
    type=_FILE,
    required=True,
    help="Un étudiant par ligne, avec un en-tête : nom, prénom, ou identifiant.",
)
@click.option(
    "--namespaces",
    metavar="N",
    type=click.IntRange(1, _MOST_NAMESPACES),
    default=6,
    help="Espaces de noms par étudiant (6).",
)
@_until_option
@_days_option
@click.option(
    "--quota",
    type=click.Choice(["cours", "strict"]),
    default="cours",
    help="« cours » compte les objets ; « strict », aussi processeur et mémoire, et en donne à qui n’en déclare pas.",
)
@click.option(
    "--image-prefix",
    metavar="REGISTRE/",
    default="",
    help="Début du nom des images du cours (vide : elles sont dans les nœuds).",
)
@click.option(
    "--ingress-url",
    metavar="URL",
    multiple=True,
    help="Où répond le contrôleur d’Ingress du cluster, s’il en a un ; deux fois pour http et https.",
)
@click.option(
    "--images",
    metavar="FICHIER",
    type=_FILE,
    help="Ce que « k8s-lab image push --out » a écrit : les images et leurs empreintes.",
)
@click.option(
    "--pull-secret",
    metavar="FICHIER",
    type=_FILE,
    help="Un config.json de Docker : identifiants du registre, en lecture seule.",
)
@click.option(
    "--pod-cidr",
    "pod_ranges",
    metavar="PLAGE",
    multiple=True,
    help="Plage d’adresses des pods, si les nœuds ne la disent pas ; peut se répéter.",
)
@click.option(
    "--policy/--no-policy",
    default=True,
    help="Avec ou sans la règle d’admission, qui demande des droits sur tout le cluster.",
)
@click.option("--network/--no-network", default=True, help="Avec ou sans les NetworkPolicies.")
@click.option(
    "--share-progress/--no-share-progress",
    default=True,
    help="Si l’avancement des étudiants se voit dans « k8s-lab class watch ».",
)
@click.option(
    "--hub-namespace",
    metavar="ESPACE",
    default="",
    help="Espace de noms d’un JupyterHub : un compte par étudiant y est fait pour son serveur.",
)
@_out_option
@_server_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Montre tout le YAML, le fait vérifier par le serveur, et ne crée rien.",
)
@click.option(
    "--kustomize",
    metavar="DOSSIER",
    type=_FOLDER,
    help="Écrit un dossier pour « kubectl apply -k », et ne crée rien.",
)
@cluster_options
def create(
    selection: Selection,
    class_name: str,
    until: datetime | None,
    days: float,
    out: Path | None,
    server: str,
    dry_run: bool,
    kustomize: Path | None,
    **options: Any,
) -> None:
    """Make the class, or what is missing of it."""
    from ..classroom import creation, credentials
    from ..classroom.kustomize import to_yaml, write
    from ..classroom.objects import of_all

    expires = credentials.end(until, days, datetime.now(UTC))
    plan = _plan(class_name, **options)
    with _teacher(selection) as api, reporting(None) as progress:
        plan = creation.surveyed(api, plan)
        if kustomize is not None:
            count = write(plan, kustomize)
            click.echo(f"{kustomize} : {count} objets, pour « kubectl apply -k {kustomize} ».")
            click.echo("Ensuite, pour les kubeconfigs : « k8s-lab class renew ».")
            return
        if dry_run:
            click.echo(to_yaml(of_all(plan)), nl=False)
            judged = creation.rehearse(api, plan, progress)
            click.echo(
                f"Le serveur accepterait ces objets ({judged} essayés à blanc, rien n’est créé).",
                err=True,
            )
            return
        with _resumable():
            made = creation.create(
                api,
                plan,
                expires=expires,
                folder=out or Path(class_name),
                server=server,
                progress=progress,
            )
    _say_made(plan, made, out or Path(class_name))


def _say_made(plan: ClassPlan, made: Made, folder: Path) -> None:
    """Print what `create` made, and what remains to be done."""
    from ..classroom.kustomize import hub_values

    click.echo(
        f"Classe « {plan.name} » : {_french.count(len(made.credentials), 'étudiant')}, "
        f"{_french.count(len(plan.students) * (plan.namespaces + 1), 'espace')} de noms, "
        f"{_french.count(made.objects, 'objet')}."
    )
    _say_credentials(made.credentials)
    if plan.hub_namespace:
        values = folder / "hub-students.yaml"
        values.write_text(hub_values(plan), encoding="utf-8")
        click.echo(f"Pour le hub : {values} (helm upgrade … --values {values}).")
    if made.others:
        click.echo(
            f"Toujours là, mais plus dans la liste : {', '.join(made.others)} "
            f"(« k8s-lab class delete --class {plan.name} --student {made.others[0]} »)."
        )
    if plan.network and not plan.pod_ranges:
        click.echo(
            "Les nœuds ne disent pas les adresses des pods : donnez-les (--pod-cidr) si les requêtes par le serveur "
            "d’API n’aboutissent pas."
        )
    click.echo(f"À faire : « k8s-lab class check --class {plan.name} ».")


def _plan(
    class_name: str,
    *,
    students: Path,
    namespaces: int,
    images: Path | None,
    pull_secret: Path | None,
    pod_ranges: Sequence[str],
    ingress_url: Sequence[str],
    **rest: Any,
) -> ClassPlan:
    """Return what the options ask for, before any cluster is asked."""
    from ..classroom import roster
    from ..classroom.objects import ClassPlan

    roster.require_label(class_name, "la classe")
    references = _images(images)
    return ClassPlan(
        class_name,
        roster.read(students, class_name, namespaces),
        namespaces,
        images=references,
        pod_ranges=tuple(pod_ranges),
        ingress_url=" ".join(ingress_url),
        shared_objects=_pull_objects(pull_secret, references.values() or [rest["image_prefix"]]),
        **rest,
    )


def _images(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    pairs = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise UsageError(
            f"Lire les images dans {path}",
            "une ligne n’est pas « nom référence »",
            "Donnez le fichier que « k8s-lab image push REGISTRE --out FICHIER » a écrit.",
        )
    return dict(pairs)


def _pull_objects(path: Path | None, references: Iterable[str]) -> list[dict[str, Any]]:
    """Return the Secret by which nodes pull, and who uses it; the class's labels come with the rest."""
    if path is None:
        return []
    from ..builds import pull_secrets

    read = pull_secrets.read(
        path, [text if text[-1:] != "/" else f"{text}x" for text in references]
    )
    return [pull_secrets.secret(read, {}), pull_secrets.default_account({})]


@classroom.command(
    cls=FrenchCommand,
    help="Écrit de nouveaux kubeconfigs, avec de nouveaux jetons, pour une classe qui est là.",
)
@_class_option
@click.option(
    "--student",
    metavar="IDENTIFIANT",
    multiple=True,
    help="Seulement pour celui-ci ; peut se répéter.",
)
@_until_option
@_days_option
@_out_option
@_server_option
@cluster_options
def renew(
    selection: Selection,
    class_name: str,
    student: tuple[str, ...],
    until: datetime | None,
    days: float,
    out: Path | None,
    server: str,
) -> None:
    """Write kubeconfigs with new tokens."""
    from ..classroom import creation, credentials

    expires = credentials.end(until, days, datetime.now(UTC))
    with _teacher(selection) as api, reporting(None) as progress:
        students = _chosen(creation.members(api, class_name), student, class_name)
        made = creation.renew(
            api,
            class_name,
            students,
            expires=expires,
            folder=out or Path(class_name),
            server=server,
            progress=progress,
        )
    _say_credentials(made)


def _chosen(members: Sequence[str], wanted: Sequence[str], class_name: str) -> Sequence[str]:
    for student in wanted:
        if student not in members:
            raise UsageError(
                f"Trouver « {student} » dans la classe « {class_name} »",
                "personne n’y a cet identifiant",
                _french.nearest_or_all(student, members, "Elle a"),
            )
    return wanted or members


@classroom.command(
    cls=FrenchCommand,
    help="Supprime la classe, ou un étudiant : ce qui porte ses étiquettes, rien d’autre. Attend que tout ait disparu.",
)
@_class_option
@click.option("--student", metavar="IDENTIFIANT", help="Seulement celui-ci.")
@click.option(
    "--kubeconfigs", metavar="DOSSIER", type=_FOLDER, help="Y supprimer aussi les kubeconfigs."
)
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=float,
    default=300.0,
    help="Combien de secondes attendre (300).",
)
@cluster_options
def delete(
    selection: Selection,
    class_name: str,
    student: str | None,
    kubeconfigs: Path | None,
    timeout_s: float,
) -> None:
    """Delete the class or one student of it."""
    from ..classroom import deletion

    with _teacher(selection) as api, reporting(None) as progress:
        gone = deletion.delete(
            api,
            class_name,
            student=student,
            folder=kubeconfigs,
            progress=progress,
            timeout_s=timeout_s,
        )
    what = f"« {student} »" if student else f"Classe « {class_name} »"
    click.echo(
        f"{what} : {_french.count(len(gone.namespaces), 'espace')} de noms, "
        f"{_french.count(len(gone.others), 'autre objet', 'autres objets')} et "
        f"{_french.count(len(gone.files), 'kubeconfig')} supprimés ; il n’en reste rien."
    )


@classroom.command(
    cls=FrenchCommand,
    help="Fait une courte expérience comme chaque étudiant, et dit qui ne peut pas travailler et pourquoi. "
    "Code 1 si quelqu’un ne le peut pas.",
)
@_class_option
@click.option(
    "--student",
    metavar="IDENTIFIANT",
    multiple=True,
    help="Seulement celui-ci ; peut se répéter.",
)
@click.option(
    "--at-once", metavar="N", type=click.IntRange(1, 50), default=6, help="Combien à la fois (6)."
)
@_out_option
@cluster_options
def check(
    selection: Selection,
    class_name: str,
    student: tuple[str, ...],
    at_once: int,
    out: Path | None,
) -> int:
    """Try to work as each student; exit code 1 where one cannot."""
    from ..classroom import checking, creation

    with _teacher(selection) as api, reporting(None) as progress:
        students = _chosen(creation.members(api, class_name), student, class_name)
        checked = checking.check(
            students, class_name, out or Path(class_name), progress, at_once=at_once
        )
    click.echo(checking.table(checked))
    for line in checking.advice(checked):
        click.echo(f"À faire : {line}")
    failed = sum(not item.works for item in checked)
    click.echo(
        f"{_french.count(len(checked) - failed, 'étudiant')} sur {len(checked)} peuvent travailler."
    )
    return 1 if failed else 0


@classroom.command(
    cls=FrenchCommand,
    help="Suit la classe pendant la séance : où en est chacun, qui est bloqué, ce qui échoue. Ctrl-C l’arrête.",
)
@_class_option
@click.option(
    "--students",
    metavar="LISTE.csv",
    type=_FILE,
    help="La liste de la classe : ses noms sont montrés ici, et ne vont pas sur le cluster.",
)
@click.option(
    "--html",
    "page",
    metavar="FICHIER",
    type=_FILE,
    help="Écrit aussi une page, refaite à chaque fois.",
)
@click.option(
    "--serve",
    metavar="[PORT]",
    type=click.IntRange(0, 65_535),
    is_flag=False,
    flag_value=0,
    help="Sert la page sur 127.0.0.1, pour le vidéoprojecteur.",
)
@click.option(
    "--every",
    "every_s",
    metavar="S",
    type=click.FloatRange(1, 3600),
    default=5.0,
    help="Toutes les combien de secondes (5).",
)
@click.option("--once", is_flag=True, help="Montre la classe une fois, et s’arrête.")
@cluster_options
def watch(
    selection: Selection,
    class_name: str,
    students: Path | None,
    page: Path | None,
    serve: int | None,
    every_s: float,
    once: bool,
) -> None:
    """Draw the class again and again, until Ctrl-C."""
    from ..classroom import roster
    from ..classroom.screen import Screen
    from ..classroom.watching import ClassWatch

    roster.require_label(class_name, "la classe")
    members = roster.read(students, class_name, 0) if students is not None else ()
    names = {member.id: member.name for member in members}
    with _teacher(selection) as api, ClassWatch(api, class_name) as watched:
        screen = Screen(watched, class_name, names, every_s)
        if once:
            screen.once(page)
            return
        with contextlib.suppress(KeyboardInterrupt):
            screen.follow(page, serve)


@classroom.command(
    cls=FrenchCommand,
    help="Écrit les droits à demander à l’administrateur du cluster, pour créer une classe sans l’être soi-même.",
)
@_class_option
@click.option("--policy/--no-policy", default=True, help="Avec ou sans la règle d’admission.")
def rights(class_name: str, policy: bool) -> None:
    """Print the ClusterRole that lets a teacher make a class."""
    from ..classroom import kustomize, roster
    from ..classroom.rights import teacher_cluster_role

    roster.require_label(class_name, "la classe")
    click.echo(kustomize.to_yaml([teacher_cluster_role(class_name, policy=policy)]), nl=False)


def _say_credentials(made: Sequence[StudentAccess]) -> None:
    if not made:
        return
    click.echo(
        f"Kubeconfigs : {made[0].path.parent}/ (un fichier par étudiant, lisible de vous seul)."
    )
    last = min(item.expires for item in made).astimezone()
    click.echo(f"Jetons valables jusqu’au {last:%d/%m/%Y à %H:%M}.")
    if any(item.shortened for item in made):
        asked = made[0].asked.astimezone()
        click.echo(
            f"Attention : vous demandiez le {asked:%d/%m/%Y}, et ce cluster accorde moins. Notez la date : "
            "« k8s-lab class renew » en refait."
        )


@contextlib.contextmanager
def _resumable() -> Iterator[None]:
    """Say, where Ctrl-C ends the block, that nothing has to be undone."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            "Arrêté en chemin : relancez la même commande, elle reprend où elle en était.", err=True
        )
        raise


@contextlib.contextmanager
def _teacher(selection: Selection) -> Iterator[ApiSession]:
    """Open the cluster with the rights of who calls: an existing one by its kubeconfig, where nothing else is said."""
    from ..kube.api import ApiSession

    named = selection.kubeconfig or os.environ.get("K8S_HELPERS_KUBECONFIG")
    if named:
        api = ApiSession(Path(named).expanduser(), selection.context)
    else:
        api = ApiSession(selection.running().kubeconfig)
    try:
        yield api
    finally:
        api.close()
