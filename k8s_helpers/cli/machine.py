"""What this machine allows: system, Python, namespaces, addresses, ports, memory, disk.

What a check needs of the machine is read by one function; what the reading means is decided by a pure one beside it
where there is something to decide. Nothing is changed.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import _french
from .._run import CommandError
from ..embedded import isolation, preflight
from .check import Check

KIND_MEMORY_BYTES = 3_000_000_000
"""What a kind node takes with some pods, its page cache included."""

COMPILE_DISK_BYTES = 8_000_000_000
"""What the Go caches and the results take while Kubernetes is compiled; almost all of it is given back."""


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} Go".replace(".", ",")


def check_system(system: str, machine: str) -> Check:
    """Judge the operating system (`platform.system()`) and the processor (`platform.machine()`)."""
    found = f"{system}, {machine}"
    if system != "Linux":
        return Check(
            "Système",
            "missing",
            found,
            "Le cluster embarqué ne marche que sous Linux : installez Docker et kind, puis "
            "« k8s-lab up --provider kind ».",
            ("embedded",),
        )
    if machine not in ("x86_64", "aarch64"):
        return Check(
            "Système",
            "missing",
            found,
            "Kubernetes n’est publié que pour x86_64 et aarch64 : utilisez un cluster existant.",
            ("embedded", "kind"),
        )
    return Check("Système", "ok", found)


def check_python(version: Sequence[int]) -> Check:
    """Judge the interpreter that runs this."""
    found = f"{'.'.join(str(part) for part in version[:3])} ({sys.executable})"
    if tuple(version[:2]) < (3, 11):
        return Check(
            "Python", "missing", found, "Il faut Python 3.11 ou plus récent.", ("embedded", "kind")
        )
    return Check("Python", "ok", found)


def sysctl(name: str) -> int | None:
    """Return a kernel setting that is a number, or None where this system does not have it."""
    try:
        return int(Path("/proc/sys", *name.split(".")).read_text())
    except (OSError, ValueError):
        return None


_NAMESPACES = "Espaces de noms du noyau"
_NOT_NEEDED = (
    "Rien d’obligatoire : les conteneurs du cluster embarqué verront leurs volumes sous un préfixe "
    "(docs/fidelite.md dit ce qui manque alors)."
)
_SWITCHES = {
    "kernel.apparmor_restrict_unprivileged_userns": 0,
    "kernel.unprivileged_userns_clone": 1,
    "user.max_user_namespaces": 15000,
}
"""Kernel settings that may refuse namespaces to an ordinary user, with a value that allows them."""


def check_namespaces() -> Check:
    """Let the Python that runs containers go into their namespaces, as each container does."""
    if isolation.given_up():
        found = f"{isolation.VARIABLE}=prefix : le cluster embarqué s’en passe"
        return Check(_NAMESPACES, "limited", found, "Retirez cette variable pour les utiliser.")
    try:
        refusal = isolation.refusal()
    except (CommandError, OSError) as error:
        return Check(_NAMESPACES, "limited", f"l’essai n’a pas pu être fait ({error})", _NOT_NEEDED)
    switches = {name: sysctl(name) for name in _SWITCHES}
    return judge_namespaces(refusal, switches, isolation.python(), os.geteuid() == 0)


def judge_namespaces(
    refusal: isolation.Refusal | None,
    switches: Mapping[str, int | None],
    python: Path,
    is_root: bool,
) -> Check:
    """Say what a refusal means and what would allow it.

    Parameters
    ----------
    refusal : Refusal or None
        What the trial met.
    switches : mapping
        The kernel settings of `_SWITCHES` as they are; None for one that this kernel does not have.
    python : Path
        The program that asked.
    is_root : bool
        Root needs no user namespace, and the settings about them do not concern it.
    """
    if refusal is None:
        return Check(_NAMESPACES, "ok", "essayés : chaque conteneur a ses propres chemins")
    name = errno.errorcode.get(refusal.number, "sans code d’erreur")
    words = _french.system(OSError(refusal.number, refusal.words))
    if refusal.number == errno.ENOSPC:  # of namespaces, not of a disk (man 7 user_namespaces)
        words = "leur nombre permis est atteint"
    found = f"refusés à {python} : {refusal.what}, {words} ({name})"
    switch = None if is_root else _refusing(refusal.number, switches)
    if switch is None:
        return Check(
            _NAMESPACES, "limited", found, f"{_NOT_NEEDED} {_elsewhere(refusal.number)}".strip()
        )
    advice = (
        f"{_NOT_NEEDED} Un administrateur peut les permettre : "
        f"« sudo sysctl -w {switch}={_SWITCHES[switch]} »"
    )
    if "apparmor" in switch:
        advice += ", ou, pour ce seul Python, un profil AppArmor (docs/binder.md le donne)"
    return Check(_NAMESPACES, "limited", f"{found} ; {switch} = {switches[switch]}", f"{advice}.")


def _refusing(number: int, switches: Mapping[str, int | None]) -> str | None:
    """Return the kernel setting that explains an error, by what each answers with, or None.

    Too many namespaces is ENOSPC; Debian's setting answers EPERM at once; AppArmor grants the
    namespace and then refuses to use it, by EPERM or EACCES.
    """
    if number == errno.ENOSPC:
        return "user.max_user_namespaces"
    if number in (errno.EPERM, errno.EACCES):
        if switches["kernel.unprivileged_userns_clone"] == 0:
            return "kernel.unprivileged_userns_clone"
        if switches["kernel.apparmor_restrict_unprivileged_userns"]:
            return "kernel.apparmor_restrict_unprivileged_userns"
    return None


def _elsewhere(number: int) -> str:
    """Return who else may refuse: what no kernel setting tells."""
    if number in (errno.EPERM, errno.EACCES):
        return "Dans un conteneur, c’est souvent son profil seccomp ou AppArmor : son administrateur peut l’élargir."
    if number == errno.ENOSPC:
        return (
            "Le nombre d’espaces de noms permis ici est épuisé (/proc/sys/user/max_*_namespaces)."
        )
    if number in (errno.ENOSYS, errno.EINVAL):
        return "Ce noyau ne les connaît pas."
    return ""


def check_low_ports(first_unprivileged: int | None, is_root: bool) -> Check:
    """Judge `net.ipv4.ip_unprivileged_port_start`."""
    subject = "Ports inférieurs à 1024"
    if is_root or (first_unprivileged is not None and first_unprivileged <= 80):
        return Check(subject, "ok", "permis")
    return Check(
        subject,
        "limited",
        "refusés à cet utilisateur",
        "Rien à faire : un Service sur le port 80 reste joignable depuis les pods par son nom.",
    )


def check_loopback() -> Check:
    """Try to listen on an address of the block where the embedded cluster's pods live."""
    try:
        with socket.create_server(("127.244.255.254", 0)):
            return Check("Adresses 127.0.0.0/8", "ok", "utilisables : pods et Services y habitent")
    except OSError as error:
        return Check(
            "Adresses 127.0.0.0/8",
            "missing",
            f"refusées ({_french.system(error)})",
            "Le cluster embarqué en a besoin : essayez sous Linux, ou « k8s-lab up --provider kind ».",
            ("embedded",),
        )


def check_memory(available_bytes: int) -> Check:
    """Judge the memory that is free for a cluster."""
    found = f"{_gigabytes(available_bytes)} disponibles"
    if available_bytes < preflight.MEMORY_BYTES:
        return Check(
            "Mémoire",
            "missing",
            found,
            f"Fermez des programmes : il en faut {_gigabytes(preflight.MEMORY_BYTES)} au moins.",
            ("embedded", "kind"),
        )
    if available_bytes < KIND_MEMORY_BYTES:
        return Check(
            "Mémoire",
            "limited",
            found,
            f"Assez pour le cluster embarqué ; kind en demande {_gigabytes(KIND_MEMORY_BYTES)}.",
        )
    return Check("Mémoire", "ok", found)


def check_disk(free_bytes: int, folder: Path, have_binaries: bool) -> Check:
    """Judge the free space where clusters and programs are kept."""
    found = f"{_gigabytes(free_bytes)} libres dans {folder}"
    if free_bytes < preflight.DISK_BYTES:
        return Check(
            "Disque",
            "missing",
            found,
            f"Libérez {_gigabytes(preflight.DISK_BYTES)}, ou désignez un autre dossier par K8S_HELPERS_HOME.",
            ("embedded", "kind"),
        )
    if not have_binaries and free_bytes < COMPILE_DISK_BYTES:
        return Check(
            "Disque",
            "limited",
            found,
            f"Assez pour télécharger ; compiler sans internet en demande {_gigabytes(COMPILE_DISK_BYTES)}.",
        )
    return Check("Disque", "ok", found)
