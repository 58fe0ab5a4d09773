"""What `k8s-lab doctor` says on Windows' Linux (WSL): its version, systemd, cgroups, a course on a Windows disk.

Sources: https://learn.microsoft.com/windows/wsl/compare-versions, https://learn.microsoft.com/windows/wsl/systemd and
https://learn.microsoft.com/windows/wsl/wsl-config.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ... import _paths
from .machine import Diagnosis

_SUBJECT = "Windows (WSL)"
_WINDOWS_DISK = ("9p", "drvfs", "v9fs")
"""File systems by which WSL reaches a disk of Windows."""


@dataclass(frozen=True)
class Wsl:
    """What this machine says of itself.

    Attributes
    ----------
    release : str
        `uname -r`.
    first_process : str
        Of which program process 1 is.
    unified_cgroups : bool
        Whether /sys/fs/cgroup is the second version alone.
    on_windows : tuple of Path
        Those of the course's folders that are on a disk of Windows.
    """

    release: str
    first_process: str
    unified_cgroups: bool
    on_windows: tuple[Path, ...]

    @property
    def version(self) -> int | None:
        """1 or 2; None where this is no WSL."""
        release = self.release.lower()
        if "microsoft" not in release:
            return None
        # The kernel of WSL 2 is Microsoft's own build of Linux; WSL 1 has none, and ends its release by its name.
        return 1 if release.endswith("-microsoft") else 2


def look() -> Wsl:
    """Read what there is; nothing is tried."""
    mounts = _read("/proc/self/mounts").splitlines()
    folders = (_paths.COURSE, _paths.cache_dir(), _paths.state_dir())
    return Wsl(
        release=_read("/proc/sys/kernel/osrelease"),
        first_process=_read("/proc/1/comm"),
        unified_cgroups=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        on_windows=tuple(folder for folder in folders if is_on_windows(folder, mounts)),
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def is_on_windows(folder: Path, mounts: Sequence[str]) -> bool:
    """Return whether a folder is on a disk of Windows, by the lines of `/proc/self/mounts`."""
    kinds = {}
    for line in mounts:
        _, where, kind, *_ = line.split()
        kinds[Path(where.replace("\\040", " "))] = kind
    nearest = next((above for above in (folder, *folder.parents) if above in kinds), None)
    return nearest is not None and kinds[nearest] in _WINDOWS_DISK


def check_wsl() -> Diagnosis | None:
    """Judge this machine's WSL; None where it is none."""
    return judge(look())


def judge(wsl: Wsl) -> Diagnosis | None:
    """Say what a course on Windows still needs, the worst first."""
    if wsl.version is None:
        return None
    if wsl.version == 1:
        return Diagnosis(
            _SUBJECT,
            "missing",
            "WSL 1 : sans noyau Linux, aucun conteneur ne peut démarrer",
            "Dans PowerShell : « wsl --list --verbose » donne le nom, puis « wsl --set-version NOM 2 » "
            "(docs/windows.md).",
            ("embedded", "kind"),
        )
    if wsl.on_windows:
        folders = ", ".join(map(str, wsl.on_windows))
        return Diagnosis(
            _SUBJECT,
            "limited",
            f"WSL 2, mais sur un disque de Windows ({folders}) : lent, et sans droits Unix",
            "Copiez le cours dans votre dossier Linux : « cp -r DOSSIER ~/kubernetes », puis relancez de là.",
        )
    wanting = []
    if wsl.first_process != "systemd":
        wanting.append("systemd (« [boot] » puis « systemd=true » dans /etc/wsl.conf)")
    if not wsl.unified_cgroups:
        wanting.append("cgroup v2 (enlevez « kernelCommandLine » de %UserProfile%\\.wslconfig)")
    if wanting:
        return Diagnosis(
            _SUBJECT,
            "limited",
            f"WSL 2, sans {' ni '.join(wanting)}",
            "Le cluster embarqué s’en passe ; Docker et kind en ont besoin. Ensuite, dans PowerShell : "
            "« wsl --shutdown ».",
        )
    return Diagnosis(_SUBJECT, "ok", "WSL 2, avec systemd et cgroup v2, sur un disque de Linux")
