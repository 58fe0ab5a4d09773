"""`RUN` of a build: the command runs in the image's own view of files, and what it leaves is kept."""

from __future__ import annotations

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
from . import bases
from .build_stage import Made
from .containerfile import Containerfile, Instruction, command

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
    folder = made.folder / "rootfs"
    argv = list(command(instruction.text))
    env = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    env |= {"HOME": "/root", **made.all_variables()}
    mounts = _caches(file, instruction, made, work)
    before = _snapshot(folder)
    for name in _WRITABLE:
        (folder / name).mkdir(parents=True, exist_ok=True)
    scratch = [_empty(made.folder / name) for name in ("base", "trial")]
    task = {
        "settings": _settings(scratch, work),
        "inside": {"argv": argv, "env": env, "cwd": made.working_dir, "tty": False}
        | {"view": _view(folder, mounts)},
        "prefixed": _prefixed(made, argv, env, mounts),
    }
    try:
        for _ in stream(boot_argv("build_step", json.dumps(task))):
            pass
    except CommandError as error:
        raise ImageError(
            f"Construire l’image « {tag} » : {file.source}, ligne {instruction.line}, RUN {instruction.text}",
            error.found,
            "Corrigez la commande ; elle s’exécute avec les programmes de cette machine.",
        ) from None
    finally:
        for path in scratch:
            shutil.rmtree(path, ignore_errors=True)
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
    if made.kind == "java" and all(mount.container_path != maven for mount in mounts):
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
        "prefix": given_up(),
    }


def _view(folder: Path, mounts: list[Mount]) -> dict[str, Any]:
    return {
        "root": str(folder),
        "image": "",
        "binds": [(str(mount.host_path), mount.container_path, False) for mount in mounts],
        "covers": [],
        "hostname": "build",
        "read_only": False,
    }


def _prefixed(
    made: Made, argv: list[str], env: dict[str, str], mounts: list[Mount]
) -> dict[str, Any]:
    folder = made.folder / "rootfs"
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
