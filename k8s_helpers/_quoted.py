"""What the course quotes from elsewhere: data files of `notebooks/donnees`, each with its source and its date.

A figure that the course has not measured itself is never written in a notebook: it is read from one of these files.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import UsageError
from ._paths import COURSE

FOLDER = COURSE / "notebooks" / "donnees"
_WRITTEN_HERE = {"differences"}
"""Files of that folder that are the course's own words."""


def names() -> list[str]:
    """Return the names that `quoted` knows, sorted."""
    return sorted({path.stem for path in FOLDER.glob("*.yaml")} - _WRITTEN_HERE)


@dataclass(frozen=True)
class Quoted:
    """One file.

    Attributes
    ----------
    name : str
        Of the file, without suffix.
    source : str
        Who says so, in French.
    date : datetime.date
        When they said so, or when it was read where they give no date.
    data : mapping
        All the rest.
    """

    name: str
    source: str
    date: datetime.date
    data: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    @property
    def credit(self) -> str:
        """The line to write under a chart."""
        return f"Source : {self.source} ({self.date:%d/%m/%Y})"


@functools.cache
def quoted(name: str) -> Quoted:
    """Return one file of data.

    Parameters
    ----------
    name : str
        Of the file in `notebooks/donnees`, without suffix ("enquete_cncf").

    Raises
    ------
    UsageError
        There is none of that name.
    """
    import yaml

    if name not in names():
        raise UsageError(
            f"Lire les données « {name} »",
            "il n’y a pas de fichier de ce nom",
            f"Il y a : {', '.join(names())}.",
        )
    plain = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Quoted(name, plain.pop("source"), plain.pop("date"), plain)
