"""`k8s-lab doctor`: what works on this machine, what is missing, and how to get it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import click

from embedded_kubernetes import preflight

from .. import _paths
from .._errors import K8sHelpersError, PlatformError
from .._french import enumeration
from .checks import images, machine, tools, wsl
from .checks.machine import EXISTING, Diagnosis
from .french import FrenchCommand
from .options import Selection, cluster_options


def _memory() -> Diagnosis:
    try:
        return machine.check_memory(preflight.available_memory_bytes())
    except OSError:
        return Diagnosis("Mémoire", "limited", "inconnue sur ce système")


def _disk() -> Diagnosis:
    from embedded_kubernetes.programs import binaries

    folders = (_paths.cache_dir(), _paths.state_dir(), Path(tempfile.gettempdir()))
    free, folder = min((shutil.disk_usage(folder).free, folder) for folder in folders)
    return machine.check_disk(free, folder, binaries.cached() is not None)


_CHECKS: tuple[Callable[[], Diagnosis | None], ...] = (
    lambda: machine.check_system(platform.system(), platform.machine()),
    wsl.check_wsl,
    lambda: machine.check_python(sys.version_info[:3]),
    _memory,
    _disk,
    tools.check_binaries,
    machine.check_namespaces,
    images.check_images,
    machine.check_ids,
    machine.check_loopback,
    lambda: machine.check_low_ports(
        machine.sysctl("net.ipv4.ip_unprivileged_port_start"), os.geteuid() == 0
    ),
    tools.check_network_programs,
    tools.check_engine,
    tools.check_kind,
    tools.check_kubectl,
    tools.check_java,
    tools.check_spring,
    tools.check_go,
    tools.check_internet,
    machine.check_clusters,
)


def examine() -> list[Diagnosis]:
    """Make all checks at once; a few seconds at most."""
    with ThreadPoolExecutor(len(_CHECKS)) as pool:
        made = [done.result() for done in [pool.submit(check) for check in _CHECKS]]
    return [diagnosis for diagnosis in made if diagnosis is not None]


def examine_chosen(selection: Selection) -> list[Diagnosis]:
    """Look at the cluster that the student means, where it is one that exists already."""
    try:
        provider = selection.open()
    except K8sHelpersError as error:
        return [Diagnosis("Cluster choisi", "limited", error.found, error.advice)]
    if provider.kind != "existing":
        return []
    from ..providers.existing import ExistingProvider
    from .checks.clusters import check_existing

    assert isinstance(provider, ExistingProvider)
    return check_existing(provider)


def usable_providers(checks: Sequence[Diagnosis]) -> list[str]:
    """Return the providers that nothing stops, the one that `k8s-lab up` takes by itself first.

    A cluster that exists already is among them where it was looked at, and then it is the first.
    """
    stopped = {name for check in checks if check.state == "missing" for name in check.stops}
    looked_at = any(check.subject == EXISTING for check in checks)
    names = ("existing", "kind", "embedded") if looked_at else ("kind", "embedded")
    return [name for name in names if name not in stopped]


_SIGNS = {"ok": "✔", "limited": "•", "missing": "✘"}


@click.command(
    cls=FrenchCommand,
    help="Ce qui marche ici, ce qui manque, comment l’obtenir. Code 3 si aucun cluster n’est possible.",
)
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Pour un programme.")
def doctor(selection: Selection, as_json: bool) -> int:
    """Look at the machine and at the cluster that is meant; exit code 3 where no cluster can be had."""
    checks = [*examine(), *examine_chosen(selection)]
    usable = usable_providers(checks)
    if as_json:
        plain = {"providers": usable, "checks": [asdict(check) for check in checks]}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        click.echo(describe(checks, usable))
    return 0 if usable else PlatformError.exit_code


def describe(checks: Sequence[Diagnosis], usable: Sequence[str]) -> str:
    """Return the checks as lines for a terminal, with the conclusion last."""
    lines = []
    for check in checks:
        lines.append(f"{_SIGNS[check.state]} {check.subject} : {check.found}")
        if check.advice:
            lines.append(f"    → {check.advice}")
    names = {"kind": "kind", "embedded": "le cluster embarqué", "existing": "le cluster existant"}
    if usable:
        lines.append(f"\nPossible ici : {enumeration([names[name] for name in usable])}.")
        options = ", avec les mêmes options," if usable[0] == "existing" else ""
        lines.append(f"« k8s-lab up »{options} prendra {names[usable[0]]}.")
    else:
        lines.append("\nAucun cluster n’est possible ici ; un cluster existant l’est :")
        lines.append("k8s-lab up --provider existing --kubeconfig FICHIER")
    return "\n".join(lines)
