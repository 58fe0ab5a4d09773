"""Official release downloads, each verified against its published SHA-256 before anything runs it."""

from __future__ import annotations

import hashlib
import os
import platform
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import paths
from ..progress import Progress

KUBERNETES_URL = "https://dl.k8s.io/release"
ETCD_URL = "https://github.com/etcd-io/etcd/releases/download"

_FROM_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_FIRST_ANSWER_S = 8.0
"""Without internet, resolving a name can hang for long: no answer at all in that time means no internet."""

_SILENCE_S = 20.0
_CHUNK_BYTES = 1024 * 1024


class WayFailedError(Exception):
    """Why one way of getting the programs does not work here, in French."""


@dataclass(frozen=True)
class Sources:
    """Where releases are: the official places, or a mirror laid out the same."""

    kubernetes_url: str = KUBERNETES_URL
    etcd_url: str = ETCD_URL


def sources() -> Sources:
    """Return the places that the application's `RELEASES_URL` and `ETCD_URL` variables name, or the official ones."""
    return Sources(
        os.environ.get(paths.variable("RELEASES_URL"), KUBERNETES_URL).rstrip("/"),
        os.environ.get(paths.variable("ETCD_URL"), ETCD_URL).rstrip("/"),
    )


def architecture(machine: str | None = None) -> str:
    """Return Go's name of this machine's architecture.

    Raises
    ------
    WayFailedError
        Kubernetes publishes nothing that this course has been tried with for it.
    """
    machine = machine or platform.machine()
    try:
        return _ARCHITECTURES[machine]
    except KeyError:
        raise WayFailedError(f"architecture {machine} non prévue") from None


def fetch(
    scratch: Path, kubernetes_version: str, etcd_version: str, where: Sources, progress: Progress
) -> Path:
    """Download and verify the five programs.

    Parameters
    ----------
    scratch : Path
        An empty folder.
    kubernetes_version, etcd_version : str
        With their "v".
    where : Sources
        Where to download from.
    progress : Progress
        Told each file and its share.

    Returns
    -------
    Path
        The folder of the programs.

    Raises
    ------
    WayFailedError
        No answer, a missing file or a wrong sum.
    """
    arch = architecture()
    base = f"{where.kubernetes_url}/{kubernetes_version}/bin/linux/{arch}"
    progress.step("Téléchargement des sommes de contrôle")
    sums = {
        "kube-apiserver": _within(_FIRST_ANSWER_S, lambda: _text(f"{base}/kube-apiserver.sha256"))
    }
    for program in _FROM_KUBERNETES:
        expected = (sums.get(program) or _text(f"{base}/{program}.sha256")).split()
        _download(f"{base}/{program}", scratch / program, expected[0] if expected else "", progress)
    archive = f"etcd-{etcd_version}-linux-{arch}.tar.gz"
    release = f"{where.etcd_url}/{etcd_version}"
    expected_sum = sum_in(_text(f"{release}/SHA256SUMS"), archive)
    _download(f"{release}/{archive}", scratch / archive, expected_sum, progress)
    _extract_etcd(scratch / archive, scratch)
    return scratch


def sum_in(listing: str, file: str) -> str:
    """Return a file's sum in a `SHA256SUMS` listing.

    Raises
    ------
    WayFailedError
        It has none.
    """
    for line in listing.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*") == file:
            return words[0]
    raise WayFailedError(f"aucune somme de contrôle publiée pour {file}")


def _within(limit_s: float, work: Callable[[], str]) -> str:
    """Return what `work` returns, if it does so in time."""
    results: list[str] = []
    errors: list[WayFailedError] = []

    def attempt() -> None:
        try:
            results.append(work())
        except WayFailedError as error:
            errors.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not results:
        raise WayFailedError(f"pas de réponse en {limit_s:.0f} s")
    return results[0]


def _text(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_FIRST_ANSWER_S) as answer:
            content: bytes = answer.read(_CHUNK_BYTES)
    except (OSError, ValueError) as error:
        raise _failed(url, error) from None
    return content.decode(errors="replace")


def _failed(url: str, error: Exception) -> WayFailedError:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return WayFailedError(f"{url} : {reason}")


def _download(url: str, target: Path, expected: str, progress: Progress) -> None:
    """Download a file; under its own name only once its sum is right."""
    partial = target.with_name(target.name + ".part")
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_SILENCE_S) as answer, partial.open("wb") as file:
            size = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                progress.step(
                    f"Téléchargement de {target.name}", file.tell() / size if size else None
                )
    except urllib.error.URLError as error:
        raise _failed(url, error) from None
    except (TimeoutError, ConnectionError) as error:
        raise _failed(url, error) from None
    if digest.hexdigest() != expected.lower():
        partial.unlink()
        raise WayFailedError(
            f"{url} : somme SHA-256 {digest.hexdigest()}, publiée {expected} ; fichier refusé"
        )
    partial.chmod(0o755)
    partial.replace(target)


def _extract_etcd(archive: Path, folder: Path) -> None:
    """Take the one program that is needed out of etcd's release."""
    try:
        with tarfile.open(archive) as content:
            member = next(
                entry for entry in content if entry.isfile() and Path(entry.name).name == "etcd"
            )
            source = content.extractfile(member)
            assert source is not None
            (folder / "etcd").write_bytes(source.read())
    except (tarfile.TarError, StopIteration) as error:
        raise WayFailedError(f"{archive.name} ne contient pas etcd ({error})") from None
    (folder / "etcd").chmod(0o755)
    archive.unlink()
