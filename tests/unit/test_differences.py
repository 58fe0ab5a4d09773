"""What differs between clusters: the words for the one in use, and every subject is asked for by a notebook."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from k8s_helpers import differences as module_function
from k8s_helpers import providers
from k8s_helpers._errors import ClusterUnreachableError, UsageError
from k8s_helpers._paths import COURSE
from k8s_helpers.differences import Differences, differences, subjects

TEXTS = {"embedded": "Un `processus`, et **un seul** nœud <b>.", "kind": "Un conteneur : le nœud."}


def test_the_cluster_in_use_comes_first_and_the_others_are_folded() -> None:
    html = Differences("kind", TEXTS)._repr_html_()
    before, fold = html.split("<details>")
    assert "Sur kind" in before and "Un conteneur\u00a0: le nœud." in before
    assert "processus" not in before
    assert "<code>processus</code>" in fold and "<strong>un seul</strong>" in fold
    assert "&lt;b&gt;" in fold and "<b>" not in fold
    assert "existant" not in html


def test_where_nothing_is_to_be_said_only_the_fold_is_left() -> None:
    html = Differences("existing", TEXTS)._repr_html_()
    assert html.index("<details>") < html.index("embarqué")
    assert "<details>" not in Differences("kind", {"kind": "Seul."})._repr_html_()


def test_without_html_every_cluster_has_its_paragraph() -> None:
    paragraphs = repr(Differences("kind", TEXTS)).split("\n\n")
    assert [text.split("\u00a0:")[0] for text in paragraphs] == [
        "Sur kind",
        "Sur le cluster embarqué",
    ]


def test_the_cluster_is_the_one_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = next(iter(subjects()))
    monkeypatch.setattr("k8s_helpers.cluster._current", None)
    with pytest.raises(ClusterUnreachableError):
        differences(subject)
    connected = SimpleNamespace(provider=SimpleNamespace(kind="kind"))
    monkeypatch.setattr("k8s_helpers.cluster._current", connected)
    assert differences(subject) == Differences("kind", subjects()[subject])
    assert module_function is differences


def test_an_unknown_subject_names_its_neighbour() -> None:
    subject = next(iter(subjects()))
    with pytest.raises(UsageError, match=subject):
        differences(subject + "s")
    with pytest.raises(UsageError, match="Il y a"):
        differences("42")


def test_every_text_is_of_a_provider_and_says_something() -> None:
    for subject, texts in subjects().items():
        assert re.match(r"\d\d-[a-z-]+$", subject), subject
        assert texts and set(texts) <= set(providers.NAMES), subject
        assert all(len(text) > 20 for text in texts.values()), subject


def test_notebooks_ask_for_every_subject_and_for_no_other() -> None:
    asked = {
        (path.stem[:2], subject)
        for path in sorted((COURSE / "notebooks").glob("[0-9]*.ipynb"))
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        for subject in re.findall(r'\bdifferences\("([^"]+)"\)', "".join(cell["source"]))
    }
    assert {subject for _, subject in asked} == set(subjects())
    assert all(subject.startswith(number) for number, subject in asked)
