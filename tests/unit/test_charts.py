"""Charts by their artists: lines, patches, limits, texts; never by their pixels."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import get_args

import pytest
import synthetic
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Annotation, Text

from k8s_helpers import _french, labs
from k8s_helpers._errors import RecordingError
from k8s_helpers.analysis import PhaseKind
from k8s_helpers.draw import axes, figure, style
from k8s_helpers.labs.update import summarize as update_summary
from k8s_helpers.labs.update import words as update_words
from k8s_helpers.measure.recording import Incident, Mark, Recording, Run


def layers(ax: Axes) -> dict[str, StepPatch]:
    return {str(patch.get_label()): patch for patch in ax.patches if isinstance(patch, StepPatch)}


def bars(ax: Axes) -> list[Rectangle]:
    return [
        patch
        for patch in ax.patches
        if isinstance(patch, Rectangle) and patch.get_label() in get_args(PhaseKind)
    ]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def texts(ax: Axes) -> list[str]:
    return [plain(text.get_text()) for text in ax.texts]


def test_requests_are_stacked_by_version_and_lost_ones_are_hatched_on_top() -> None:
    ax = axes.requests(synthetic.naive())
    drawn = layers(ax)
    assert list(drawn) == ["v1", "v2", "requête perdue"]
    assert to_hex(drawn["v1"].get_facecolor()).upper() == style.BLUE
    assert to_hex(drawn["v2"].get_facecolor()).upper() == style.GREEN
    assert drawn["requête perdue"].get_hatch()
    assert drawn["requête perdue"].get_data().values.max() == pytest.approx(50)
    assert ax.get_xlim() == (0, 20)
    assert ax.get_ylim()[1] > 55
    assert ax.get_ylabel() == "requêtes / s"
    assert "secondes" in ax.get_xlabel()


def test_without_losses_there_is_no_lost_layer_and_no_shade() -> None:
    ax = axes.requests(synthetic.rolling())
    assert "requête perdue" not in layers(ax)
    assert texts(ax) == []


def test_an_outage_is_shaded_in_every_view_and_named_once() -> None:
    run = synthetic.recreate()
    for view, expected in (
        (axes.requests, ["4,5 s sans réponse"]),
        (axes.pods, []),
        (axes.replicas, []),
    ):
        ax = view(run)
        shades = [
            patch for patch in ax.patches if to_hex(patch.get_facecolor()).upper() == style.OUTAGE
        ]
        assert [(shade.get_x(), shade.get_width()) for shade in shades] == [
            (pytest.approx(4), pytest.approx(4.5))
        ]
        assert texts(ax) == expected


def test_an_outage_at_the_end_is_named_inside_the_axes() -> None:
    run = synthetic.run("recreate", lambda at_s: "v1" if at_s < 17 else "!refused", [])
    chart = labs.update.draw(Recording("update", "kind", "v1", (run,)))
    ax = chart.axes[0]
    (text,) = [
        text
        for text in ax.texts
        if "sans réponse" in text.get_text() and "·" not in text.get_text()
    ]
    assert text.get_window_extent().x1 <= ax.bbox.x1 + 1


def test_each_pod_is_a_row_of_phases() -> None:
    ax = axes.pods(synthetic.rolling())
    drawn = bars(ax)
    assert len({round(bar.get_y(), 3) for bar in drawn}) == 6
    dotted = [bar for bar in drawn if bar.get_hatch()]
    assert [(bar.get_x(), bar.get_width()) for bar in dotted] == [(4, 3), (7, 3), (10, 3)]
    light = [
        bar for bar in drawn if to_hex(bar.get_facecolor()).upper() == style.lighter(style.BLUE)
    ]
    assert [(bar.get_x(), bar.get_width()) for bar in light] == [(7, 1), (10, 1), (13, 1)]
    assert min(bar.get_x() for bar in drawn) == 0


def test_replicas_show_the_band_that_the_deployment_allows() -> None:
    ax = axes.replicas(synthetic.rolling())
    total, ready = ax.get_lines()
    assert (total.get_label(), ready.get_label()) == ("pods en tout", "pods prêts")
    assert set(ready.get_ydata()) == {3}
    assert max(total.get_ydata()) == 5
    (band,) = [
        patch for patch in ax.patches if to_hex(patch.get_facecolor()).upper() == style.LIGHT
    ]
    assert (band.get_y(), band.get_height()) == (3, 1)
    assert texts(ax) == ["maxUnavailable 0 … maxSurge 1"]
    assert texts(axes.replicas(synthetic.recreate())) == []


def test_columns_share_time_and_scales() -> None:
    recording = synthetic.recording()
    longer = replace(recording.runs[1], ended_s=25.0)
    chart = labs.update.draw(
        replace(recording, runs=(recording.runs[0], longer, *recording.runs[2:]))
    )
    assert len(chart.axes) == 12
    assert {ax.get_xlim() for ax in chart.axes} == {(0, 25)}
    for row in range(3):
        assert len({ax.get_ylim() for ax in chart.axes[row::3]}) == 1
    assert chart.axes[1].yaxis_inverted()


def test_the_verdict_stands_above_each_column_with_the_prediction() -> None:
    chart = labs.update.draw(
        synthetic.recording(), predictions={"recreate": 150, "bleu_vert": 0, "rolling": ...}
    )
    verdicts = [" / ".join(texts(ax)) for ax in chart.axes[::3]]
    assert "Rolling update naïf" in verdicts[0] and "100 requêtes perdues" in verdicts[0]
    assert "0 requête perdue" in verdicts[1] and "prévu" not in verdicts[1]
    assert "vous aviez prévu 150" in verdicts[2] and "4,5 s sans réponse" in verdicts[2]
    assert "vous aviez prévu 0" in verdicts[3] and "retour en 10 ms" in verdicts[3]


def test_marks_are_lines_in_each_view_and_named_once() -> None:
    chart = labs.update.draw(Recording("update", "embedded", "v1", (synthetic.blue_green(),)))
    assert texts(chart.axes[1]) == ["kubectl apply", "bascule", "retour"]
    for ax in chart.axes:
        vertical = [
            line.get_xdata()[0] for line in ax.get_lines() if line.get_label().startswith("_")
        ]
        assert vertical == [4, 8, 12]


def close_marks() -> Run:
    marks = (Mark(4.0, "apply"), Mark(4.3, "switch"), Mark(4.6, "switch-back"))
    return replace(synthetic.blue_green(), marks=marks)


def late_marks() -> Run:
    return replace(synthetic.blue_green(), marks=(Mark(19.5, "apply"),))


@pytest.mark.parametrize("make", [synthetic.recording, close_marks, late_marks])
def test_no_text_touches_another_or_leaves_the_figure(make: object) -> None:
    made = make()  # type: ignore[operator]
    guesses = {"rolling_naive": 1234, "rolling": 99, "recreate": 150, "bleu_vert": 0}
    recording = (
        made if isinstance(made, Recording) else Recording("update", "embedded", "v1", (made,) * 4)
    )
    chart = labs.update.draw(recording, predictions=guesses)
    chart.draw_without_rendering()
    shown: list[Text] = [text for ax in chart.axes for text in ax.texts if text.get_text()]
    assert len(shown) > 20
    for one, other in itertools.combinations(shown, 2):
        assert not one.get_window_extent().overlaps(other.get_window_extent()), (one, other)
    for text in shown:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= chart.bbox.x1 and box.y1 <= chart.bbox.y1, text


def test_three_marks_at_one_instant_are_not_written_over_each_other() -> None:
    chart = labs.update.draw(Recording("update", "embedded", "v1", (close_marks(),) * 4))
    boxes = [
        text.get_window_extent() for text in chart.axes[1].texts if isinstance(text, Annotation)
    ]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_the_alternative_says_it_all_and_every_output_carries_it() -> None:
    chart = labs.update.draw(synthetic.recording(), predictions={"recreate": 150})
    told = plain(chart.alternative)
    assert "Recreate : 225 requêtes perdues sur 1 000, 4,5 s sans réponse" in told
    assert "vous aviez prévu 150" in told
    bundle, metadata = chart._repr_mimebundle_()
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == chart.alternative
    assert 'alt="4\u00a0mises à jour sous trafic' in bundle["text/html"]
    assert chart.to_png().startswith(b"\x89PNG")


def test_an_incident_of_the_cluster_is_told() -> None:
    run = replace(synthetic.recreate(), incidents=(Incident(5, "kube-apiserver", "relancé"),))
    recording = Recording("update", "embedded", "v1", (synthetic.rolling(), run))
    told = "1 incident dans le cluster pendant la mesure (kube-apiserver relancé)."
    assert plain(update_words.sentence(update_summary(run))).endswith(told)
    header, *rows = (line.split() for line in str(labs.update.tabulate(recording)).splitlines())
    assert (header[-1], rows[0][-1], rows[1][-1]) == ("incidents", "–", "kube-apiserver")
    calm, struck = (
        [text for text in texts(ax) if "incident" in text]
        for ax in labs.update.draw(recording).axes
        if any("kubectl apply" in text for text in texts(ax))
    )
    assert (calm, struck) == ([], ["incident : kube-apiserver"])


def test_an_empty_recording_is_an_error_and_an_empty_run_is_drawn() -> None:
    with pytest.raises(RecordingError, match="vide"):
        labs.update.draw(Recording("update", "kind", "v1", ()))
    empty = Run("rolling", "2026-01-01T00:00:00+00:00", 5.0)
    assert labs.update.draw(Recording("update", "kind", "v1", (empty,))).to_png()


def test_the_same_recording_draws_the_same_chart() -> None:
    assert (
        labs.update.draw(synthetic.recording()).to_png()
        == labs.update.draw(synthetic.recording()).to_png()
    )


def test_a_single_version_keeps_its_colour() -> None:
    ax = axes.requests(synthetic.run("x", lambda at_s: "v2", []))
    assert to_hex(layers(ax)["v2"].get_facecolor()).upper() == style.GREEN


def test_the_table_has_a_row_each_and_a_column_of_predictions_where_there_are_some() -> None:
    table = labs.update.tabulate(synthetic.recording())
    assert [row[0] for row in table.rows] == [
        update_words.STRATEGIES[run.name] for run in synthetic.recording().runs
    ]
    assert table.rows[2][1:6] == ("1\u202f000", "225", "4,5\u00a0s", "3", "0\u00a0s")
    assert "prévues" not in str(table)
    guessed = labs.update.tabulate(synthetic.recording(), predictions={"recreate": 150})
    assert guessed.rows[2][3] == "150" and guessed.rows[0][3] == "–"
    assert '<th scope="row"' in guessed._repr_html_() and "prévues" in guessed._repr_html_()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0\u00a0s"),
        (0.04, "40\u00a0ms"),
        (0.0996, "0,1\u00a0s"),
        (4.46, "4,5\u00a0s"),
        (12.3, "12\u00a0s"),
    ],
)
def test_durations_are_written_as_french_does(value: float, expected: str) -> None:
    assert _french.seconds(value) == expected


def test_numbers_and_plurals_are_french() -> None:
    assert _french.number(1234567.5, 1) == "1\u202f234\u202f567,5"
    assert _french.count(1, "requête") == "1\u00a0requête"
    assert _french.count(0, "requête") == "0\u00a0requête"
    assert _french.count(2, "mise à jour", "mises à jour") == "2\u00a0mises à jour"


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("embedded", "cluster embarqué"),
        ("kind", "cluster kind"),
        ("existing", "cluster existant"),
    ],
)
def test_a_chart_names_its_cluster_in_french(provider: str, words: str) -> None:
    chart = labs.update.draw(Recording("update", provider, "v1", (synthetic.rolling(),)))
    assert words in chart.alternative


@pytest.mark.parametrize(
    ("colour", "ink"), [(style.BLUE, "white"), (style.lighter(style.BLUE, 0.5), style.INK)]
)
def test_words_on_a_colour_are_readable(colour: str, ink: str) -> None:
    assert style.ink_on(colour) == ink


def test_four_columns_stand_two_by_two_so_that_they_can_be_read_in_a_notebook() -> None:
    runs = [replace(synthetic.rolling(), name=name) for name in ("a", "b", "c", "d")]
    chart = labs.update.draw(Recording("update", "embedded", "v1.37.0", tuple(runs)))
    assert chart.get_figwidth() <= 10.5
    places = [ax.get_position() for ax in chart.axes]
    assert len({round(place.x0, 3) for place in places}) == 2
    assert len({round(place.y0, 3) for place in places}) == 6
    three = labs.update.draw(Recording("update", "embedded", "v1.37.0", tuple(runs[:3])))
    assert len({round(ax.get_position().y0, 3) for ax in three.axes}) == 3


def test_names_of_marks_have_room_above_however_many_rows_there_are() -> None:
    for rows in (2, 16):
        ax = figure.new(7.5, 2.6).subplots()
        axes.rows_axis(ax, rows)
        low, high = ax.get_ylim()
        share = (-0.6 - high) / (low - high)
        assert share * ax.bbox.height >= 30 * style.DPI / 72 * 0.98


def test_a_long_run_has_longer_bins_than_a_short_one() -> None:
    made = {}
    for length_s in (20.0, 160.0):
        run = replace(synthetic.rolling(), ended_s=length_s)
        made[length_s] = [
            len(layer.get_data().edges) for layer in layers(axes.requests(run)).values()
        ]
    assert max(made[20.0]) > 2 * max(made[160.0])
