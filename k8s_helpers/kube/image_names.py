"""What a cluster calls the course's images: `vitrine:v1` where it gets them directly, a registry's name elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

STAND_IN = "-standin"
"""How the name of a program's stand-in ends: "fuite-standin:v1"."""


def short(reference: str) -> str:
    """Return name and tag of an image, without registry, path and digest."""
    return undigested(reference).rpartition("/")[2]


def undigested(reference: str) -> str:
    """Return a reference without its digest."""
    return reference.partition("@")[0]


@dataclass(frozen=True)
class ImageNames:
    """The names of the course's images on one cluster.

    Attributes
    ----------
    prefix : str
        What they begin with ("registre.exemple.fr/cours/"); "" where the cluster has them under their own name.
    pinned : mapping
        References with their digest, by short name; these come first.
    plain : bool
        Whether the cluster itself takes `vitrine:v1` for the pinned one (`builds.plain_names`).
    """

    prefix: str = ""
    pinned: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False

    def full(self, tag: str) -> str:
        """Return what the course itself writes for "vitrine:v1"; its stand-in where only that is there."""
        app, _, version = tag.rpartition(":")
        for name in (tag, f"{app}{STAND_IN}:{version}"):
            if name in self.pinned:
                return self.pinned[name]
        return f"{self.prefix}{tag}"

    def typed(self, tag: str) -> str:
        """Return what a student types for "vitrine:v1": never a digest."""
        return tag if self.plain and tag in self.pinned else undigested(self.full(tag))

    def tag(self, reference: str) -> str:
        """Return the short name of an image of the course, whichever way it is written; others as they are."""
        for name, pinned in self.pinned.items():
            if reference in (pinned, undigested(pinned)):
                return name
        return reference.removeprefix(self.prefix)

    def table(self, tags: Iterable[str]) -> dict[str, str]:
        """Return what must be typed otherwise than it is said, by its short name."""
        return {tag: self.typed(tag) for tag in tags if self.typed(tag) != tag}

    def rewritten(self, text: str, tags: Iterable[str]) -> str:
        """Return a text, a statement or a manifest, with the names as they are typed here."""
        table = self.table(tags)
        if not table:
            return text
        names = "|".join(map(re.escape, sorted(table, key=len, reverse=True)))
        return re.sub(rf"(?<![\w/.-])({names})(?![\w.@-])", lambda match: table[match[1]], text)
