"""Each lab's words are computed from the recording under which they stand: the opposite outcome has other words."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from k8s_helpers import labs
from k8s_helpers.measure.recording import Recording

KEPT = [(name, provider) for name in labs.LABS for provider in labs.get(name).recordings()]
FOLDER = Path(__file__).parent


def opposites(name: str) -> ModuleType:
    """Import a lab's `opposite.py`: `opposite(recording)`, and the phrases `CLAIMS` that only the kept outcome has."""
    path = FOLDER / name / "opposite.py"
    spec = importlib.util.spec_from_file_location(f"opposite_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(recording: Recording) -> str:
    """Return all that a lab writes of a recording: its figure's texts and alternative, its table."""
    figure = labs.draw(recording)
    texts = [text.get_text() for text in figure.texts]
    texts += [text.get_text() for ax in figure.axes for text in (*ax.texts, ax.title)]
    table = labs.tabulate(recording)
    written = " ".join([figure.alternative, *texts, str(table or "")])
    return written.replace("\u00a0", " ").replace("\u202f", " ").replace("\n", " ")


@pytest.mark.parametrize(("name", "provider"), KEPT)
def test_the_opposite_outcome_has_other_words(name: str, provider: str) -> None:
    module = opposites(name)
    assert module.CLAIMS
    kept = labs.kept(name, provider)
    before = words(kept)
    held = [claim for claim in module.CLAIMS if claim in before]
    assert held, f"none of {module.CLAIMS} is said of {name} on {provider}: {before}"
    after = words(module.opposite(kept))
    assert [claim for claim in held if claim in after] == []
