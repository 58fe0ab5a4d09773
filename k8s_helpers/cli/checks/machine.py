"""What this machine allows (system, Python, namespaces, addresses, ports, memory, disk), and the clusters on it.

What a check needs of the machine is read by one function; what the reading means is decided by a pure one beside it
where there is something to decide. Nothing is changed.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embedded_kubernetes import preflight
from embedded_kubernetes.node import isolation
from embedded_kubernetes.processes import CommandError

from ... import _french, _paths

EXISTING = "Cluster existant"
"""Subject of what is said of a cluster that the course did not make."""

RECENT_S = 600.0
"""How long an incident is still worth a word."""

KIND_MEMORY_BYTES = 3_000_000_000
"""What a kind node takes with some pods, its page cache included."""

COMPILE_DISK_BYTES = 8_000_000_000
"""What the Go caches and the results take while Kubernetes is compiled; almost all of it is given back."""


@dataclass(frozen=True)
class Diagnosis:
    """What one look at the machine found.

    Attributes
    ----------
    subject : str
        What was looked at, in French.
    state : {"ok", "limited", "missing"}
        "limited": the course works, something in it does not.
    found : str
        What was observed.
    advice : str
        What to do about it; empty where there is nothing to do.
    stops : tuple of str
        Providers ("embedded", "kind") that cannot work as long as the state is "missing".
    """

    subject: str
    state: Literal["ok", "limited", "missing"]
    found: str
    advice: str = ""
    stops: tuple[str, ...] = ()


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} Go".replace(".", ",")


def check_system(system: str, machine: str) -> Diagnosis:
    """Judge the operating system (`platform.system()`) and the processor (`platform.machine()`)."""
    observed = f"{system}, {machine}"
    if system != "Linux":
        return Diagnosis(
            "Système",
            "missing",
            observed,
            "Le cluster embarqué ne marche que sous Linux : installez Docker et kind, puis "
            "« k8s-lab up --provider kind ».",
            ("embedded",),
        )
    if machine not in ("x86_64", "aarch64"):
        return Diagnosis(
            "Système",
            "missing",
            observed,
            "Kubernetes n’est publié que pour x86_64 et aarch64 : utilisez un cluster existant.",
            ("embedded", "kind"),
        )
    return Diagnosis("Système", "ok", observed)


def check_python(version: Sequence[int]) -> Diagnosis:
    """Judge the interpreter that runs this."""
    observed = f"{'.'.join(str(part) for part in version[:3])} ({sys.executable})"
    if tuple(version[:2]) < (3, 11):
        return Diagnosis(
            "Python",
            "missing",
            observed,
            "Il faut Python 3.11 ou plus récent.",
            ("embedded", "kind"),
        )
    return Diagnosis("Python", "ok", observed)


def sysctl(name: str) -> int | None:
    """Return a kernel setting that is a number, or None where this system does not have it."""
    try:
        return int(Path("/proc/sys", *name.split(".")).read_text())
    except (OSError, ValueError):
        return None


_NAMESPACES = "Espaces de noms du noyau"
_IDS = "Utilisateurs des conteneurs"
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


def check_namespaces() -> Diagnosis:
    """Let the Python that runs containers go into their namespaces, as each container does."""
    if isolation.given_up():
        observed = f"{isolation.variable()}=prefix : le cluster embarqué s’en passe"
        return Diagnosis(
            _NAMESPACES, "limited", observed, "Retirez cette variable pour les utiliser."
        )
    try:
        refused = isolation.refusals()
    except (CommandError, OSError) as error:
        return Diagnosis(
            _NAMESPACES, "limited", f"l’essai n’a pas pu être fait ({error})", _NOT_NEEDED
        )
    if refused.files is None:
        return judge_network(refused.network, isolation.missing_for_internet())
    switches = {name: sysctl(name) for name in _SWITCHES}
    return judge_namespaces(refused.files, switches, isolation.python(), os.geteuid() == 0)


def check_ids() -> Diagnosis:
    """Say whether containers can have several users, as `isolation.why_single` finds by trying."""
    why = isolation.why_single()
    if why is None:
        return Diagnosis(_IDS, "ok", "essayés : un conteneur peut avoir plusieurs utilisateurs")
    return Diagnosis(
        _IDS,
        "limited",
        why,
        "Rien d’obligatoire : chaque conteneur du cluster embarqué n’aura qu’un utilisateur (docs/fidelite.md dit ce "
        "qui change alors). Un administrateur peut en accorder : « sudo apt install uidmap », puis « sudo usermod "
        "--add-subuids 100000-165535 --add-subgids 100000-165535 COMPTE ».",
    )


def judge_network(refusal: isolation.Refusal | None, missing: str) -> Diagnosis:
    """Say what refuses a network for each pod, where containers have namespaces otherwise.

    Parameters
    ----------
    refusal : Refusal or None
        What the trial met.
    missing : str
        The program or device that pods lack for the internet; "" for nothing.
    """
    if refusal is None:
        found = "essayés : chaque conteneur a ses propres chemins, chaque pod son réseau"
        if not missing.startswith("/"):  # a program: another look tells of it
            return Diagnosis(_NAMESPACES, "ok", found)
        advice = f"Pour que vos pods joignent internet : « sudo chmod 666 {missing} »."
        return Diagnosis(_NAMESPACES, "ok", f"{found}, sans accès à internet", advice)
    name = errno.errorcode.get(refusal.number, "sans code d’erreur")
    words = _french.system(OSError(refusal.number, refusal.words))
    advice = (
        "Rien d’obligatoire : les pods se partageront la boucle locale de cette machine (docs/fidelite.md dit ce qui "
        "change alors)."
    )
    if refusal.what == "add veth":
        advice += " Un administrateur peut charger ce qui manque au noyau : « sudo modprobe veth »."
    return Diagnosis(
        _NAMESPACES,
        "limited",
        f"chaque conteneur a ses propres chemins, mais un pod ne peut pas avoir son réseau : {refusal.what}, {words} "
        f"({name})",
        advice,
    )


def judge_namespaces(
    refusal: isolation.Refusal,
    switches: Mapping[str, int | None],
    python: Path,
    is_root: bool,
) -> Diagnosis:
    """Say what a refusal means and what would allow it.

    Parameters
    ----------
    refusal : Refusal
        What the trial met.
    switches : mapping
        The kernel settings of `_SWITCHES` as they are; None for one that this kernel does not have.
    python : Path
        The program that asked.
    is_root : bool
        Root needs no user namespace, and the settings about them do not concern it.
    """
    name = errno.errorcode.get(refusal.number, "sans code d’erreur")
    words = _french.system(OSError(refusal.number, refusal.words))
    if refusal.number == errno.ENOSPC:  # of namespaces, not of a disk (man 7 user_namespaces)
        words = "leur nombre permis est atteint"
    observed = f"refusés à {python} : {refusal.what}, {words} ({name})"
    switch = None if is_root else _refusing(refusal.number, switches)
    if switch is None:
        return Diagnosis(
            _NAMESPACES, "limited", observed, f"{_NOT_NEEDED} {_elsewhere(refusal.number)}".strip()
        )
    advice = (
        f"{_NOT_NEEDED} Un administrateur peut les permettre : "
        f"« sudo sysctl -w {switch}={_SWITCHES[switch]} »"
    )
    if "apparmor" in switch:
        advice += ", ou, pour ce seul Python, un profil AppArmor (docs/binder.md le donne)"
    return Diagnosis(
        _NAMESPACES, "limited", f"{observed} ; {switch} = {switches[switch]}", f"{advice}."
    )


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


def check_low_ports(first_unprivileged: int | None, is_root: bool) -> Diagnosis:
    """Judge `net.ipv4.ip_unprivileged_port_start`."""
    subject = "Ports inférieurs à 1024"
    if is_root or (first_unprivileged is not None and first_unprivileged <= 80):
        return Diagnosis(subject, "ok", "permis")
    return Diagnosis(
        subject,
        "limited",
        "refusés à cet utilisateur",
        "Rien à faire : un Service sur le port 80 reste joignable depuis les pods par son nom.",
    )


def check_loopback() -> Diagnosis:
    """Try to listen on an address of the block where embedded clusters have theirs: nodes, pods without a network."""
    try:
        with socket.create_server(("127.244.255.254", 0)):
            return Diagnosis(
                "Adresses 127.0.0.0/8", "ok", "utilisables : le cluster embarqué y a ses adresses"
            )
    except OSError as error:
        return Diagnosis(
            "Adresses 127.0.0.0/8",
            "missing",
            f"refusées ({_french.system(error)})",
            "Le cluster embarqué en a besoin : essayez sous Linux, ou « k8s-lab up --provider kind ».",
            ("embedded",),
        )


def check_memory(available_bytes: int) -> Diagnosis:
    """Judge the memory that is free for a cluster."""
    observed = f"{_gigabytes(available_bytes)} disponibles"
    if available_bytes < preflight.MEMORY_BYTES:
        return Diagnosis(
            "Mémoire",
            "missing",
            observed,
            f"Fermez des programmes : il en faut {_gigabytes(preflight.MEMORY_BYTES)} au moins.",
            ("embedded", "kind"),
        )
    if available_bytes < KIND_MEMORY_BYTES:
        return Diagnosis(
            "Mémoire",
            "limited",
            observed,
            f"Assez pour le cluster embarqué ; kind en demande {_gigabytes(KIND_MEMORY_BYTES)}.",
        )
    return Diagnosis("Mémoire", "ok", observed)


def check_disk(free_bytes: int, folder: Path, have_binaries: bool) -> Diagnosis:
    """Judge the free space where clusters and programs are kept."""
    observed = f"{_gigabytes(free_bytes)} libres dans {folder}"
    if free_bytes < preflight.DISK_BYTES:
        return Diagnosis(
            "Disque",
            "missing",
            observed,
            f"Libérez {_gigabytes(preflight.DISK_BYTES)}, ou désignez un autre dossier par K8S_HELPERS_HOME.",
            ("embedded", "kind"),
        )
    if not have_binaries and free_bytes < COMPILE_DISK_BYTES:
        return Diagnosis(
            "Disque",
            "limited",
            observed,
            f"Assez pour télécharger ; compiler sans internet en demande {_gigabytes(COMPILE_DISK_BYTES)}.",
        )
    return Diagnosis("Disque", "ok", observed)


def check_clusters() -> Diagnosis:
    """Look at every embedded cluster of this user."""
    from ...providers.embedded import EmbeddedProvider

    since_wall_s = time.time() - RECENT_S
    folder = _paths.state_dir() / "clusters" / "embedded"
    names = sorted(file.parent.name for file in folder.glob("*/cluster.json"))
    providers = [EmbeddedProvider(name) for name in names]
    running = [provider for provider in providers if provider.status().state == "running"]
    return judge_clusters({provider.name: provider.troubles(since_wall_s) for provider in running})


def judge_clusters(troubles: Mapping[str, Sequence[str]]) -> Diagnosis:
    """Conclude from what is wrong with each running cluster, by its name."""
    subject = "Clusters embarqués en marche"
    if not troubles:
        return Diagnosis(subject, "ok", "aucun")
    bad = {name: lines for name, lines in troubles.items() if lines}
    if not bad:
        return Diagnosis(subject, "ok", ", ".join(troubles))
    words = " ; ".join(f"« {name} » : {' ; '.join(troubles)}" for name, troubles in bad.items())
    name = next(iter(bad))
    return Diagnosis(
        subject,
        "limited",
        words,
        "Le superviseur relance ce qui s’arrête ou se bloque. Si cela se répète, repartez d’un cluster neuf "
        f"(ses objets seront perdus) : « k8s-lab down --name {name} », puis « k8s-lab up --name {name} ».",
    )
