"""Names of images: `busybox`, `ghcr.io/team/app:1`, `registry:5000/x@sha256:…`.

(source: `github.com/distribution/reference`)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_DOCKER_HUB = "docker.io"
_OLD_DOCKER_HUB = "index.docker.io"
_OFFICIAL = "library/"
_DEFAULT_TAG = "latest"
_LONGEST_NAME = 255

_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<domain>{_DOMAIN})/(?P<path>{_PATH_PART}(?:/{_PATH_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


class ReferenceFormatError(ValueError):
    """A text that names no image; the words are those of the library that every container engine uses."""


@dataclass(frozen=True)
class Reference:
    """A name in its full form.

    Attributes
    ----------
    domain : str
        The registry, "docker.io" where none was named.
    path : str
        The repository within it, "library/busybox" for `busybox`.
    tag : str
        "latest" where neither tag nor digest was given; "" with a digest alone.
    digest : str
        "sha256:…" or "".
    """

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The name without tag and digest: `docker.io/library/busybox`."""
        return f"{self.domain}/{self.path}"

    @property
    def full(self) -> str:
        """The form that container engines keep images by: a digest wins over a tag."""
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag}"

    @property
    def familiar(self) -> str:
        """The shortest form that means the same: `busybox:latest`."""
        name = self.repository
        if self.domain == _DOCKER_HUB:
            rest = self.path.removeprefix(_OFFICIAL)
            name = self.path if "/" in rest else rest
        return f"{name}@{self.digest}" if self.digest else f"{name}:{self.tag}"

    @property
    def wanted(self) -> str:
        """What a registry is asked for: the digest, or the tag."""
        return self.digest or self.tag

    def at(self, digest: str) -> Reference:
        """Return the name of one content of the same repository."""
        return replace(self, tag="", digest=digest)


def parse(text: str) -> Reference:
    """Return the full form of a name.

    Raises
    ------
    ReferenceFormatError
        It is none ("invalid reference format").
    """
    if _IDENTIFIER.fullmatch(text):
        raise ReferenceFormatError(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    domain, rest = _split_domain(text)
    remote = rest.partition(":")[0]
    if remote.lower() != remote:
        raise ReferenceFormatError(
            f"invalid reference format: repository name ({remote}) must be lowercase"
        )
    known = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if known is None:
        raise ReferenceFormatError("invalid reference format")
    if len(known["path"]) > _LONGEST_NAME:
        raise ReferenceFormatError(
            f"repository name must not be more than {_LONGEST_NAME} characters"
        )
    digest = known["digest"] or ""
    if digest.startswith("sha256:") and not _IDENTIFIER.fullmatch(digest.removeprefix("sha256:")):
        raise ReferenceFormatError("invalid checksum digest length")
    tag = known["tag"] or ("" if digest else _DEFAULT_TAG)
    return Reference(known["domain"], known["path"], tag, digest)


def _split_domain(name: str) -> tuple[str, str]:
    """Return the registry and the rest: what stands before the first `/` is a registry if it looks like one."""
    first, slash, rest = name.partition("/")
    if not slash:
        return _DOCKER_HUB, _OFFICIAL + name
    looks = first == "localhost" or any(mark in first for mark in ".:") or first.lower() != first
    domain, remainder = (first, rest) if looks else (_DOCKER_HUB, name)
    if domain == _OLD_DOCKER_HUB:
        domain = _DOCKER_HUB
    if domain == _DOCKER_HUB and "/" not in remainder:
        remainder = _OFFICIAL + remainder
    return domain, remainder
