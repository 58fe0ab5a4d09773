"""Why a spec fails here, in words for a reader: `reasons.toml`, by the beginning of its name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

UNEXPLAINED = "à expliquer"
FILE = Path(__file__).with_name("reasons.toml")


def load(text: str) -> dict[str, str]:
    """Return the reasons of the table: beginning of a spec's name → French words."""
    table = tomllib.loads(text)
    return {str(name): str(words) for name, words in table["reasons"].items()}


def reason(name: str, reasons: Mapping[str, str]) -> str:
    """Return why a spec fails; the longest beginning that fits its name decides."""
    known = [beginning for beginning in reasons if name.startswith(beginning)]
    return reasons[max(known, key=len)] if known else UNEXPLAINED
