"""Pages that several benchmarks write: each its own section."""

from __future__ import annotations

import re
from pathlib import Path


def write_section(page: Path, title: str, text: str) -> None:
    """Put a section of that title in the place of the one of before, or at the end."""
    section = f"## {title}\n\n{text.strip()}\n"
    before = page.read_text(encoding="utf-8") if page.exists() else ""
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    found = old.search(before)
    head, rest = (before, "") if found is None else (before[: found.start()], before[found.end() :])
    parts = (part.strip() for part in (head, section, rest))
    after = "\n\n".join(part for part in parts if part)
    page.write_text(f"{after}\n", encoding="utf-8")


def sections(page: Path) -> str:
    """Return all sections of a page, for who writes anew what comes before them; "" where there are none."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    found = re.search(r"^## ", text, re.MULTILINE)
    return text[found.start() :] if found else ""
