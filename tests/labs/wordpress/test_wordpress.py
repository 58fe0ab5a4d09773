"""WordPress and its database: what is said where one of the pods took the article with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8s_helpers import _paths, labs
from k8s_helpers.labs.wordpress import experiment
from k8s_helpers.measure.recording import Recording

MANIFEST = _paths.COURSE / "notebooks/manifests/03_espaces_de_noms_et_pods/wordpress.yaml"


def without(*whats: str) -> Recording:
    """Return the kept recording, had the article been gone then."""
    kept = labs.kept("wordpress", "kind")
    (run,) = kept.runs
    attempts = tuple(
        replace(attempt, ok=False, answer="lost", detail="5/12")
        if attempt.what in whats
        else attempt
        for attempt in run.attempts
    )
    return replace(kept, runs=(replace(run, attempts=attempts),))


def said(made: Recording) -> str:
    return labs.draw(made).alternative.replace("\u00a0", " ")


def test_a_lost_article_names_the_pod_that_took_it() -> None:
    assert "L’article survit à tous les pods" in said(without())
    database = said(without("read-after-new-database"))
    assert "n’est plus lu par tous après : remplacement de la base." in database
    both = said(without("read-from-three-sites", "read-after-new-database"))
    assert "passage à trois sites et remplacement de la base." in both


def test_readers_are_counted() -> None:
    tried = labs.get("wordpress").to_json(without("read-after-new-sites"))["runs"]["blog"]
    assert [row["detail"] for row in tried][2:4] == [
        "12 lecteurs sur 12 voient l’article",
        "5 lecteurs sur 12 voient l’article",
    ]


@pytest.mark.parametrize("image", experiment.IMAGES)
def test_the_manifest_names_the_images_that_variables_replace(image: str) -> None:
    assert f"image: {image}\n" in Path(MANIFEST).read_text("utf-8")
