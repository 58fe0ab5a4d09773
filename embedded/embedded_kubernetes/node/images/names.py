"""Names of images: which of them mean the same."""

from __future__ import annotations

_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "localhost")


def normalise(reference: str) -> str:
    """Return the short form that equal references share: `docker.io/library/x` is `x:latest`.

    The rule of `distribution/reference`: what stands before the first `/` is a registry where it has a dot, a colon
    or is `localhost`; the Docker Hub and its `library/` are implied.
    """
    name = reference.partition("@")[0]
    first, slash, rest = name.partition("/")
    if slash and first in _DOCKER_HUB:
        name = rest
    name = name.removeprefix("library/")
    if ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return name


def repository(reference: str) -> str:
    """Return a reference's normalised name without its tag."""
    return normalise(reference).rpartition(":")[0]
