"""Facts: what a notebook's test compares."""

from __future__ import annotations

from k8s_helpers._french import typeset
from k8s_helpers.facts import facts


def test_a_fact_is_told_in_french_with_its_truth() -> None:
    shown = facts({"aucune requête perdue": not [], "a < b": 0})
    assert repr(shown).splitlines() == [
        "✔ aucune requête perdue\u00a0: vrai",
        "✘ a < b\u00a0: faux",
    ]
    assert "a &lt; b\u00a0: faux" in shown._repr_html_()


def test_french_wants_spaces_that_do_not_break() -> None:
    assert typeset("« vrai » : oui ; non ?") == "«\u00a0vrai\u00a0»\u00a0: oui\u00a0; non\u00a0?"
    assert typeset("selector:\n  app: vitrine") == "selector:\n  app: vitrine"
