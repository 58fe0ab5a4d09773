"""An Ingress: what is said of a request that goes astray, and of one that the program itself does not know."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers import labs
from k8s_helpers.measure.recording import Recording


def answered(answer: str) -> Recording:
    """Return the kept recording, had /apiculture been answered otherwise."""
    kept = labs.kept("ingress", "embedded")
    hosts, paths, lost = kept.runs
    attempts = (*paths.attempts[:-1], replace(paths.attempts[-1], answer=answer))
    return replace(kept, runs=(hosts, replace(paths, attempts=attempts), lost))


def test_only_requests_that_come_to_their_own_service_are_counted() -> None:
    assert "5 requêtes menées à leur Service" in labs.draw(answered("boutique")).alternative
    assert "4 requêtes menées à leur Service" in labs.draw(answered("blog")).alternative


def test_who_says_404_is_told_apart() -> None:
    texts = [text.get_text() for text in labs.draw(answered("boutique")).axes[0].texts]
    assert "le contrôleur répond\u00a0: 404 page not found" in texts
    assert any("le programme qui ne connaît pas" in text.replace("\n", " ") for text in texts)
