"""What the course quotes: each file of data, and each figure drawn from one, names its source and its date."""

from __future__ import annotations

import datetime
import json

import pytest

from embedded_kubernetes.programs.binaries import KUBERNETES_VERSION
from k8s_helpers import draw, quoted
from k8s_helpers._errors import UsageError
from k8s_helpers._paths import COURSE
from k8s_helpers._quoted import names
from k8s_helpers.draw.quoted import maintained, pace, support


@pytest.mark.parametrize("name", names())
def test_every_file_says_who_and_when(name: str) -> None:
    quote = quoted(name)
    assert isinstance(quote.date, datetime.date) and len(quote.source) > 20
    assert quote.data
    assert quote.credit.startswith("Source : ") and str(quote.date.year) in quote.credit


def test_an_unknown_file_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="as_a_service"):
        quoted("nulle_part")


def test_published_figures_are_drawn_with_source_and_date() -> None:
    for drawing, name in (
        (draw.survey, "enquete_cncf"),
        (draw.releases, "versions_kubernetes"),
        (draw.delays, "as_a_service"),
        (draw.levels, "projets_cncf"),
        (draw.landscape, "paysage"),
    ):
        chart = drawing(quoted(name))
        written = " ".join(text.get_text() for text in chart.texts)
        assert quoted(name).credit in written
        assert quoted(name).credit in chart.alternative.replace("\u00a0", " ")


def test_releases_come_every_four_months_and_live_fourteen() -> None:
    versions = quoted("versions_kubernetes")
    assert pace(versions) == pytest.approx(4, abs=0.5)
    assert support(versions) == pytest.approx(14.5, abs=1)


def test_three_versions_are_mended_at_once_and_a_fourth_for_two_months() -> None:
    versions = quoted("versions_kubernetes")
    assert maintained(versions) == ["1.34", "1.35", "1.36", "1.37"]
    chart = draw.releases(versions)
    assert "4\u00a0versions corrigées, le 15/09/2026" in chart.alternative
    assert versions["versions"][-1]["version"] in KUBERNETES_VERSION


def test_figures_say_first_what_they_are_about() -> None:
    titles = {
        drawing(quoted(name)).texts[0].get_text().replace("\u00a0", " ")
        for drawing, name in (
            (draw.delays, "as_a_service"),
            (draw.levels, "projets_cncf"),
            (draw.landscape, "paysage"),
        )
    }
    assert titles == {
        "Pour déployer : jusqu’à 13 semaines en On-Premise, 30 s en FaaS",
        "13 projets de la CNCF, le 15/06/2026 : 9 gradués, 2 en incubation, 2 au bac à sable",
        "8 besoins, et les 27 outils que ce cours nomme",
    }


def test_who_only_belongs_to_kubernetes_has_its_level_from_it() -> None:
    alternative = draw.landscape(quoted("paysage")).alternative
    assert "kind (gradué, comme partie de Kubernetes)" in alternative
    assert "etcd (gradué)" in alternative


def test_a_project_s_levels_follow_one_another() -> None:
    chart = draw.levels(quoted("projets_cncf"))
    (ax,) = chart.axes
    rows: dict[int, list[tuple[float, float]]] = {}
    for bar in ax.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        rows.setdefault(row, []).append((bar.get_x(), bar.get_x() + bar.get_width()))
    assert len(rows) == len(quoted("projets_cncf")["projets"])
    for stretches in rows.values():
        assert all(begin < end for begin, end in stretches)
        assert stretches == sorted(stretches)
    assert "k3s\u00a0: bac à sable en 2020" in chart.alternative


def test_the_map_has_every_tool_once() -> None:
    chart = draw.landscape(quoted("paysage"))
    written = [text.get_text() for text in chart.axes[0].texts]
    tools = [
        tool["nom"] + " •" * bool(tool.get("de_kubernetes"))
        for need in quoted("paysage")["besoins"]
        for tool in need["outils"]
    ]
    assert len(set(tools)) == len(tools) and set(tools) <= set(written)


def test_the_notebook_names_the_units_that_its_data_have() -> None:
    cells = json.loads((COURSE / "notebooks" / "01_introduction.ipynb").read_text("utf-8"))["cells"]
    prose = "".join(line for cell in cells for line in cell["source"]).replace("\u00a0", " ")
    for model in quoted("as_a_service")["modeles"]:
        row = f"| {model['nom']} | {model['unite']} | {model['exemple']} |"
        assert row.replace("« ", "«").replace(" »", "»") in prose.replace("« ", "«").replace(
            " »", "»"
        )
