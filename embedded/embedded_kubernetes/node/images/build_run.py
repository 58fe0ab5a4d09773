"""`RUN` of a build: the command runs in the image's own view of files, and what it leaves is kept."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from ...errors import ImageError
from ...processes import CommandError, stream
from ..cri import Mount
from ..isolation import given_up
from ..runtime import prefix
from ..runtime.spawner_link import boot_argv
from ..runtime.users import ranges
from . import bases
from .build_stage import Made
from .containerfile import Containerfile, Instruction, command
from .stack import Stack

_FROM_HOST = frozenset(
    name
    for plain in (
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "ssl_cert_file",
        "maven_opts",
        "pip_index_url",
    )
    for name in (plain, plain.upper())
)
"""What a build takes over from the caller's environment, as engines do with proxies."""

_WRITABLE = ("opt", "usr/local/bin", "usr/local/lib", "usr/local/share")
"""Folders that a command may add to; the host's other folders are read-only in a build too."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_NOT_KEPT = ("dev", "proc", "run", "sys")


def run_step(
    file: Containerfile, tag: str, work: Path, made: Made, instruction: Instruction
) -> None:
    """Run one `RUN` instruction.

    Parameters
    ----------
    file, instruction : Containerfile, Instruction
        What to run, and where it stands.
    tag : str
        The image, for messages.
    work : Path
        The store's folder: caches are kept in it.
    made : Made
        The stage that it changes.

    Raises
    ------
    ImageError
        The command failed; holds its last lines.
    """
    env = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    mounts = _caches(file, instruction, made, work)
    scratch = [_empty(made.folder / name) for name in ("base", "trial")]
    try:
        if made.host_programs:
            _run_on_host(made, instruction, env, mounts, _settings(scratch, work))
        else:
            _run_in_image(made, instruction, env, mounts, _settings(scratch, work))
    except CommandError as error:
        advice = "Corrigez la commande ; elle s’exécute dans l’image, avec ses seuls programmes."
        if made.host_programs:
            advice = "Corrigez la commande ; elle s’exécute avec les programmes de cette machine."
        raise ImageError(
            f"Construire l’image « {tag} » : {file.source}, ligne {instruction.line}, RUN {instruction.text}",
            error.found,
            advice,
        ) from None
    finally:
        for path in scratch:
            ranges.delete(path)


def _run_in_image(
    made: Made,
    instruction: Instruction,
    env: dict[str, str],
    mounts: list[Mount],
    settings: dict[str, Any],
) -> None:
    """Run the command in the image's own root file system; what it changes comes into the new layer.

    Where layers cannot be mounted, it runs in a copy of them all, which is the new layer then, the only one.
    """
    whole, below = made.folder / "whole", list(map(str, made.below))
    view = _view(made.layer, mounts) | {"host_programs": False, "cwd": made.working_dir}
    request = {
        "argv": list(command(instruction.text)),
        "env": {"PATH": _PATH} | env | made.all_variables(),
        "cwd": made.working_dir,
        "tty": False,
        "user": {"user": made.user, "groups": [], "of_image": True},
        "ids": settings["ids"],
        "view": view | {"layers": below, "overlay": True},
    }
    copied = view | {"root": str(whole), "layers": [*below, str(made.layer)]}
    try:
        _run({"settings": settings, "inside": request, "copied": copied, "prefixed": None})
    finally:
        ranges.delete(made.folder / "rootfs.work")
        if whole.is_dir():
            ranges.delete(made.layer)
            whole.rename(made.layer)
            made.below = ()
    for path in ("/dev", "/proc", "/sys", "/etc/resolv.conf", *(m.container_path for m in mounts)):
        _unless_used(made, path)


def _unless_used(made: Made, path: str) -> None:
    """Take away what the view itself made in the new layer, to mount something there."""
    place = Path(f"{made.layer}{path}")
    with contextlib.suppress(OSError):
        if place.is_symlink() or Stack(made.below).find(path) is not None:
            return
        if place.is_dir():
            place.rmdir()
        elif place.stat().st_size == 0:
            place.unlink()


def _run(task: dict[str, Any]) -> None:
    for _ in stream(boot_argv("build_step", json.dumps(task))):
        pass


def _run_on_host(
    made: Made,
    instruction: Instruction,
    env: dict[str, str],
    mounts: list[Mount],
    settings: dict[str, Any],
) -> None:
    """Run the command in a view of the host's programs; what it leaves is sorted out from what the view made."""
    folder = made.layer
    argv = list(command(instruction.text))
    env |= {"HOME": "/root", **made.all_variables()}
    before = _snapshot(folder)
    for name in _WRITABLE:
        (folder / name).mkdir(parents=True, exist_ok=True)
    task = {
        "settings": settings,
        "inside": {"argv": argv, "env": env, "cwd": made.working_dir, "tty": False}
        | {"view": _view(folder, mounts)},
        "prefixed": _prefixed(made, argv, env, mounts),
    }
    try:
        _run(task)
    finally:
        _prune(folder, before, mounts)


def _caches(file: Containerfile, instruction: Instruction, made: Made, work: Path) -> list[Mount]:
    """Return the folders that outlive the build: `--mount=type=cache`, and Maven's own."""
    mounts = []
    for name, value in instruction.flags:
        fields = dict(part.partition("=")[::2] for part in value.split(","))
        target = fields.get("target") or fields.get("dst")
        if name != "mount" or fields.get("type") != "cache" or not target:
            raise file.error(
                instruction.line,
                f"« --{name}={value} » n’existe pas dans ce cluster",
                "Seul « RUN --mount=type=cache,target=… » est possible.",
            )
        mounts.append(_cache(work, target))
    maven = "/root/.m2"
    if (
        made.host_programs
        and "JAVA_HOME" in made.env
        and all(mount.container_path != maven for mount in mounts)
    ):
        own = Path.home() / ".m2"
        mounts.append(Mount(own, maven) if own.is_dir() else _cache(work, maven))
    return mounts


def _cache(work: Path, target: str) -> Mount:
    folder = work / "cache" / target.strip("/").replace("/", "_")
    folder.mkdir(parents=True, exist_ok=True)
    return Mount(folder, target)


def _settings(scratch: list[Path], work: Path) -> dict[str, Any]:
    base, trial = scratch
    return {
        "base": str(base),
        "trial": str(trial),
        "extra": [str(folder) for folder in bases.host_programs().folders()],
        "hidden": [str(work.parent)],
        "ids": ranges.id_map(),
        "prefix": given_up(),
        "network": False,
    }


def _view(folder: Path, mounts: list[Mount]) -> dict[str, Any]:
    return {
        "root": str(folder),
        "layers": [],
        "host_programs": True,
        "overlay": False,
        "cwd": "/",
        "volumes": [],
        "binds": [(str(mount.host_path), mount.container_path, False) for mount in mounts],
        "covers": [],
        "hostname": "build",
        "read_only": False,
    }


def _prefixed(
    made: Made, argv: list[str], env: dict[str, str], mounts: list[Mount]
) -> dict[str, Any]:
    folder = made.layer
    owned = {*prefix.owned_paths(folder), made.working_dir} - prefix.SHARED_FOLDERS
    for path in _new_paths(argv):
        (folder / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        owned.add(path)
    translator = prefix.Translator(str(folder), owned)
    # Caches are not links in the image, so programs see the caller's own home.
    env = {**translator.env(env), "HOME": str(Path.home()), "K8S_ROOT": str(folder)}
    for mount in mounts:
        env = {
            name: value.replace(mount.container_path, str(mount.host_path))
            for name, value in env.items()
        }
    cwd = f"{folder}{made.working_dir}"
    return {"argv": translator.argv(argv), "env": env, "cwd": cwd, "tty": False}


def _new_paths(argv: list[str]) -> set[str]:
    """Return the paths that a command may be about to make: those that a plain system does not have."""
    paths = set()
    for text in re.findall(r"(?<![\w./~:-])/[\w./-]+", " ".join(argv)):
        path = ""
        for part in Path(text).parts[1:]:
            path += f"/{part}"
            shared = path in prefix.SHARED_FOLDERS
            if not shared and (path.count("/") == 1 or not Path(path).exists()):
                paths.add(path)
                break
    return paths


def _empty(path: Path) -> Path:
    path.mkdir()
    return path


def _snapshot(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _prune(folder: Path, before: set[str], mounts: list[Mount]) -> None:
    """Take away what the view itself put there: places where the host's files were bound."""
    for name in _NOT_KEPT:
        if name not in before:
            shutil.rmtree(folder / name, ignore_errors=True)
    own_places = {mount.container_path.strip("/") for mount in mounts}
    for path in sorted(folder.rglob("*"), key=lambda entry: len(entry.parts), reverse=True):
        inside = path.relative_to(folder).as_posix()
        if inside in before or not (inside in own_places or _is_copy_of_host(path, inside)):
            continue
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()


def _is_copy_of_host(path: Path, inside: str) -> bool:
    """Whether the host has the same link, a folder, or a file where this one is empty."""
    host = Path("/" + inside)
    try:
        if path.is_symlink():
            return inside == "var/run" or (host.is_symlink() and host.readlink() == path.readlink())
        if path.is_dir():
            return host.is_dir()
        return path.stat().st_size == 0 and host.exists()
    except PermissionError:
        return False
