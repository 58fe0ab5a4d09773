"""The command `embedded-kubernetes`: a cluster from a terminal."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import paths, preflight
from .cluster import EmbeddedCluster
from .errors import ExplainedError, UsageError
from .node import isolation
from .processes import CommandError
from .programs import binaries
from .progress import Lines

DEFAULT_NAME = "default"
_NOT_RUNNING = 5
"""What `status` exits with where the cluster does not run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: an error's own, as `errors` lists them, or 130 after Ctrl-C."""
    parsed = _parser().parse_args(arguments)
    for suffix in ("HOME", "CACHE"):
        if folder := getattr(parsed, suffix.lower()):
            os.environ[paths.variable(suffix)] = str(folder.absolute())
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        sys.exit(command(parsed))
    except ExplainedError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=paths.command(),
        description="A Kubernetes cluster of plain processes: no root, no Docker.",
    )
    parser.add_argument(
        "--home",
        type=Path,
        metavar="FOLDER",
        help=f"keep everything there (also by the variable {paths.variable('HOME')})",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help=f"keep Kubernetes' programs there (also by the variable {paths.variable('CACHE')})",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for function, words in _COMMANDS.items():
        command = commands.add_parser(function.__name__[1:], help=words, description=words)
        command.set_defaults(command=function)
        if function not in (_fetch, _doctor):
            command.add_argument("--name", default=DEFAULT_NAME, help="the cluster's name")
        if function is _fetch:
            command.add_argument(
                "--from",
                dest="source",
                type=Path,
                metavar="FOLDER",
                help="copy them from a folder that holds them all, instead of downloading",
            )
        if function is _up:
            command.add_argument("--nodes", type=int, help="how many nodes; one by default")
    return parser


def _fetch(parsed: argparse.Namespace) -> int:
    programs = binaries.ensure(Lines()) if parsed.source is None else _copied(parsed.source)
    print(f"Kubernetes {programs.kubernetes_version}: {programs.folder}")
    return 0


def _copied(source: Path) -> binaries.Binaries:
    """Install the programs of a folder, which keeps them."""
    missing = [name for name in binaries.PROGRAMS if not (source / name).is_file()]
    if missing:
        raise UsageError(
            f"Copier les programmes de Kubernetes de {source}",
            f"il y manque {', '.join(missing)}",
            f"Donnez un dossier qui contient {', '.join(binaries.PROGRAMS)}.",
        )
    return binaries.copy(source, Lines())


def _up(parsed: argparse.Namespace) -> int:
    config = EmbeddedCluster(parsed.name).up(Lines(), nodes=parsed.nodes)
    print(f"Kubernetes {config.kubernetes_version} at {config.server}")
    name = "" if parsed.name == DEFAULT_NAME else f" --name {parsed.name}"
    print(f'For kubectl in this shell: eval "$({paths.command()} env{name})"')
    return 0


def _down(parsed: argparse.Namespace) -> int:
    EmbeddedCluster(parsed.name).down(Lines())
    return 0


def _status(parsed: argparse.Namespace) -> int:
    state = EmbeddedCluster(parsed.name).status()
    print(f"{parsed.name}: {state.state}" + (f" ({state.detail})" if state.detail else ""))
    for name, facts in state.components.items():
        alive = f"pid {facts['pid']}" if facts["pid"] is not None else "stopped"
        restarts = f", {facts['restarts']} restarts" if facts["restarts"] else ""
        trouble = f", {facts['trouble']}" if facts["trouble"] else ""
        print(f"  {name}: {alive}{restarts}{trouble}")
    return 0 if state.state == "running" else _NOT_RUNNING


def _kubeconfig(parsed: argparse.Namespace) -> int:
    print(_existing(parsed.name).kubeconfig)
    return 0


def _env(parsed: argparse.Namespace) -> int:
    cluster = _existing(parsed.name)
    print(f"export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}")
    if (programs := binaries.cached()) is not None:
        print(f"export PATH={shlex.quote(str(programs.folder))}:$PATH")
    return 0


def _existing(name: str) -> EmbeddedCluster:
    cluster = EmbeddedCluster(name)
    if not cluster.kubeconfig.exists():
        raise UsageError(
            f"Trouver le cluster « {name} »",
            "il n’existe pas",
            f"Démarrez-le : « {paths.command()} up --name {name} ».",
        )
    return cluster


def _doctor(_: argparse.Namespace) -> int:
    state = paths.state_dir()
    programs = binaries.cached()
    free_bytes = shutil.disk_usage(state).free
    print(f"system: {sys.platform}")
    print(f"programs: {programs.folder if programs else 'not there yet: fetch'}")
    print(
        f"memory: {preflight.available_memory_bytes() / 1024**2:.0f} MiB available, "
        f"{preflight.MEMORY_BYTES / 1024**2:.0f} needed"
    )
    print(
        f"disk: {free_bytes / 1024**2:.0f} MiB free in {state}, "
        f"{preflight.DISK_BYTES / 1024**2:.0f} needed"
    )
    print(f"namespaces: {_namespaces()}")
    preflight.require_linux()
    preflight.require_memory(preflight.available_memory_bytes())
    preflight.require_disk(state)
    return 0


def _namespaces() -> str:
    if isolation.given_up():
        return f"not used ({isolation.variable()}=prefix)"
    try:
        refusal = isolation.refusal()
    except (CommandError, OSError) as error:
        return f"not tried ({error})"
    if refusal is None:
        return "allowed"
    return f"refused ({refusal.what}: {refusal.words}); containers see volumes under a prefix"


_COMMANDS = {
    _fetch: "get Kubernetes' programs: from the cache, the PATH, the official releases, or by compiling them",
    _up: "start the cluster, or find it running",
    _down: "stop the cluster and delete all that it holds",
    _status: "say whether the cluster runs (exit code 0) or not (5), and what it is made of",
    _kubeconfig: "print where the administrator's kubeconfig is",
    _env: 'print what makes a shell use the cluster and its kubectl: eval "$(embedded-kubernetes env)"',
    _doctor: "say what this machine allows",
}
