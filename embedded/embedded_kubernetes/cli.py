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
from .cluster import EmbeddedCluster, prepare
from .errors import ExplainedError, UsageError
from .node import isolation
from .node.images import library
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
        if function not in (_fetch, _doctor, _image):
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
        if function is _image:
            _add_image_commands(command)
    return parser


def _add_image_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for function, words in _IMAGE_COMMANDS.items():
        name = function.__name__.removesuffix("_image").lstrip("_")
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(command=function)
        if function in (_pull_image, _remove_image):
            command.add_argument("image", metavar="IMAGE", help="its name: nginx:1.29")
        if function is _load_image:
            command.add_argument(
                "archive", type=Path, metavar="ARCHIVE", help="a file, or an OCI folder"
            )
        if function in (_list_image, _remove_image):
            command.add_argument(
                "--name", default=DEFAULT_NAME, help="the cluster whose own images count"
            )


def _fetch(parsed: argparse.Namespace) -> int:
    if parsed.source is not None:
        _copied(parsed.source)
    programs = prepare(Lines())
    print(f"Kubernetes {programs.kubernetes_version}: {programs.folder}")
    return 0


def _copied(source: Path) -> None:
    """Install the programs of a folder, which keeps them."""
    missing = [name for name in binaries.PROGRAMS if not (source / name).is_file()]
    if missing:
        raise UsageError(
            f"Copier les programmes de Kubernetes de {source}",
            f"il y manque {', '.join(missing)}",
            f"Donnez un dossier qui contient {', '.join(binaries.PROGRAMS)}.",
        )
    binaries.copy(source, Lines())


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


def _image(_: argparse.Namespace) -> int:
    raise NotImplementedError  # one of its own commands is required


def _pull_image(parsed: argparse.Namespace) -> int:
    print(library.pull(parsed.image, Lines()))
    return 0


def _load_image(parsed: argparse.Namespace) -> int:
    for name in library.load(parsed.archive, Lines()):
        print(name)
    return 0


def _list_image(parsed: argparse.Namespace) -> int:
    lines = [("IMAGE", "ID", "SIZE", "BASE", "ORIGIN")]
    for image in library.stored(_images_of(parsed.name)):
        short = image.image_id.removeprefix("sha256:")[:12]
        size = f"{image.size_bytes / 1e6:.1f} MB" if image.size_bytes else "-"
        lines.append((image.name, short, size, image.base or "-", image.origin))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
    return 0


def _remove_image(parsed: argparse.Namespace) -> int:
    library.remove(parsed.image, _images_of(parsed.name))
    return 0


def _images_of(name: str) -> Path | None:
    """Return the folder of a cluster's own images, None where there is no such cluster."""
    folder = EmbeddedCluster(name).directory / "images"
    return folder if folder.is_dir() else None


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
    print(f"users of containers: {isolation.why_single() or 'as many as an image wants'}")
    preflight.require_linux()
    preflight.require_memory(preflight.available_memory_bytes())
    preflight.require_disk(state)
    return 0


def _namespaces() -> str:
    if isolation.given_up():
        return f"not used ({isolation.variable()}=prefix)"
    try:
        refused = isolation.refusals()
    except (CommandError, OSError) as error:
        return f"not tried ({error})"
    if refused.files is not None:
        words = f"{refused.files.what}: {refused.files.words}"
        return f"refused ({words}); containers see volumes under a prefix"
    if refused.network is not None:
        words = f"{refused.network.what}: {refused.network.words}"
        return f"allowed; no network for each pod ({words}), all share this machine's loopback"
    return "allowed"


_COMMANDS = {
    _fetch: "get Kubernetes' programs: from the cache, the PATH, the official releases, or by compiling them",
    _up: "start the cluster, or find it running",
    _down: "stop the cluster and delete all that it holds",
    _status: "say whether the cluster runs (exit code 0) or not (5), and what it is made of",
    _image: "the images that clusters can run: pull, load, list, remove",
    _kubeconfig: "print where the administrator's kubeconfig is",
    _env: 'print what makes a shell use the cluster and its kubectl: eval "$(embedded-kubernetes env)"',
    _doctor: "say what this machine allows",
}

_IMAGE_COMMANDS = {
    _pull_image: "get an image from its registry, for all clusters",
    _load_image: "take the images of an archive: docker save, podman save, OCI",
    _list_image: "list the images: name, id, size, base, where it comes from",
    _remove_image: "take an image away: the cluster's own, or else the one that all clusters share",
}
