"""What registries and archives say of an image: descriptors, indexes, manifests, configurations.

(source: `github.com/opencontainers/image-spec`, and Docker's own media types, which mean the same)
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...cri import ImageConfig

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"

INDEXES = (OCI_INDEX, DOCKER_INDEX)
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)

_MACHINES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", "v8"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i686": ("386", ""),
    "ppc64le": ("ppc64le", ""),
    "s390x": ("s390x", ""),
    "riscv64": ("riscv64", ""),
}


class ImageFormatError(Exception):
    """What was read is no image for this machine; the words are containerd's."""


class PullError(Exception):
    """An image that could not be pulled; the words are containerd's.

    Attributes
    ----------
    number : int
        The system's error number where it was this machine (`errno`: a full disk), otherwise 0.
    """

    def __init__(self, words: str, number: int = 0) -> None:
        super().__init__(words)
        self.number = number


@dataclass(frozen=True)
class Descriptor:
    """A reference to a blob by its digest."""

    media_type: str
    digest: str
    size_bytes: int

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Descriptor:
        """Read it from its JSON form."""
        try:
            digest = str(plain["digest"])
            return cls(str(plain.get("mediaType", "")), digest, int(plain.get("size", -1)))
        except (KeyError, TypeError, ValueError):
            raise ImageFormatError(f"invalid descriptor {json.dumps(plain)}") from None


@dataclass(frozen=True)
class Layer:
    """One layer: its blob, and the archive in the blob."""

    blob: Descriptor
    diff_id: str


@dataclass(frozen=True)
class Manifest:
    """One image for one platform."""

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def size_bytes(self) -> int:
        """What all of it takes as blobs."""
        return sum(blob.size_bytes for blob in (self.config, *self.layers))


def document(data: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises
    ------
    ImageFormatError
        It is none.
    """
    try:
        plain = json.loads(data)
    except ValueError as error:
        raise ImageFormatError(f"{what}: {error}") from None
    if not isinstance(plain, dict):
        raise ImageFormatError(f"{what}: not a JSON object")
    return plain


def kind_of(plain: dict[str, Any], media_type: str = "") -> str:
    """Return the media type of a manifest or index: what it says itself, what came with it, what it looks like."""
    own = str(plain.get("mediaType", ""))
    if plain.get("schemaVersion") == 1 or own.startswith(_DOCKER_SCHEMA_1):
        return "application/vnd.docker.distribution.manifest.v1+prettyjws"
    if own in INDEXES + MANIFESTS:
        return own
    if media_type in INDEXES + MANIFESTS:
        return media_type
    if "manifests" in plain:
        return OCI_INDEX
    return OCI_MANIFEST if "layers" in plain else own or media_type


def refuse_unknown(kind: str, digest: str) -> None:
    """Raise `ImageFormatError` for what is neither an index nor a manifest, in containerd's words."""
    if kind.startswith(_DOCKER_SCHEMA_1):
        raise ImageFormatError(
            f'media type "{kind}" is no longer supported since containerd v2.1, please rebuild the image as '
            f'"{DOCKER_MANIFEST}" or "{OCI_MANIFEST}": not implemented'
        )
    if kind not in INDEXES + MANIFESTS:
        raise ImageFormatError(f"unexpected media type {kind} for {digest}: not found")


def manifest(plain: dict[str, Any]) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ImageFormatError
        It is of something else than an image (a Helm chart, a signature).
    """
    if not isinstance(plain.get("config"), dict) or not isinstance(plain.get("layers"), list):
        raise ImageFormatError("manifest without config or layers")
    config = Descriptor.of(plain["config"])
    if config.media_type not in (OCI_CONFIG, _DOCKER_CONFIG, ""):
        raise ImageFormatError(
            f"unexpected media type {config.media_type} for {config.digest}: not found"
        )
    return Manifest(config, tuple(Descriptor.of(layer) for layer in plain["layers"]))


def machine() -> tuple[str, str]:
    """Return this machine's architecture and variant as images name them: ("amd64", ""), ("arm64", "v8")."""
    name = platform.machine()
    return _MACHINES.get(name, (name, ""))


def chosen(
    index: dict[str, Any], digest: str, platform: tuple[str, str] | None = None
) -> Descriptor:
    """Return the manifest of an index that is for a platform (architecture and variant): by default this machine.

    The same variant is best, then none, then an older one (`arm/v6` runs on `arm/v7`).

    Raises
    ------
    ImageFormatError
        There is none: "no match for platform in manifest …: not found".
    """
    architecture, variant = platform or machine()

    def rank(entry: dict[str, Any]) -> tuple[int, str] | None:
        wanted = entry.get("platform")
        if not isinstance(wanted, dict):
            return (0, "")
        if wanted.get("os") != "linux" or wanted.get("architecture") != architecture:
            return None
        own = str(wanted.get("variant", ""))
        if own == variant:
            return (3, "")
        if not own:
            return (2, "")
        return (1, own) if own < variant else None

    ranked = [
        (order, entry)
        for entry in index.get("manifests") or ()
        if isinstance(entry, dict) and (order := rank(entry)) is not None
    ]
    if not ranked:
        raise ImageFormatError(f"no match for platform in manifest {digest}: not found")
    return Descriptor.of(max(ranked, key=lambda pair: pair[0])[1])


def diff_ids(config: dict[str, Any], count: int) -> tuple[str, ...]:
    """Return the digests of the archives of an image's layers.

    Raises
    ------
    ImageFormatError
        There are others than the manifest's.
    """
    rootfs = config.get("rootfs")
    ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    names = tuple(str(name) for name in ids or ())
    if len(names) != count:
        raise ImageFormatError(f"number of layers and diffIDs don't match: {count} != {len(names)}")
    if not all(is_digest(name) for name in names):
        raise ImageFormatError("invalid checksum digest format")
    return names


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256 digest (`sha256:` and 64 hexadecimal digits)."""
    kind, _, digits = text.partition(":")
    return kind == "sha256" and len(digits) == 64 and not digits.strip("0123456789abcdef")


def check_platform(config: dict[str, Any], digest: str) -> None:
    """Raise `ImageFormatError` where a configuration is of another architecture or system."""
    architecture = config.get("architecture") or machine()[0]
    if architecture != machine()[0] or config.get("os", "linux") not in ("linux", ""):
        raise ImageFormatError(f"no match for platform in manifest {digest}: not found")


def image_config(
    config: dict[str, Any],
    *,
    reference: str,
    image_id: str,
    layers: Iterable[Path],
    size_bytes: int,
    repo_digests: tuple[str, ...],
) -> ImageConfig:
    """Return what an image's configuration says of how to run it."""
    said = config.get("config") or {}
    return ImageConfig(
        reference=reference,
        image_id=image_id,
        layers=tuple(layers),
        env={
            name: value
            for name, _, value in (text.partition("=") for text in said.get("Env") or ())
        },
        entrypoint=_words(said.get("Entrypoint")),
        cmd=_words(said.get("Cmd")),
        working_dir=said.get("WorkingDir") or "/",
        exposed_ports=tuple(_ports(said.get("ExposedPorts") or ())),
        stop_signal=said.get("StopSignal") or "SIGTERM",
        user=said.get("User") or "",
        volumes=tuple(sorted(said.get("Volumes") or ())),
        labels=dict(said.get("Labels") or {}),
        size_bytes=size_bytes,
        repo_digests=repo_digests,
    )


def _words(value: Any) -> tuple[str, ...]:
    """Return a command, which old images give as one text."""
    return (value,) if isinstance(value, str) and value else tuple(value or ())


def _ports(names: Iterable[str]) -> Iterable[int]:
    for name in sorted(names):
        number = name.partition("/")[0]
        if number.isdigit():
            yield int(number)
