"""A leak's recording: lives, deaths, waits, verdicts and figure, on runs whose every number is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import RecordingError, UsageError
from k8s_helpers.kube import manifests
from k8s_helpers.labs.lab import MANIFESTS
from k8s_helpers.labs.memory import leak
from k8s_helpers.labs.memory.experiment import VARIANTS, asked, fitted
from k8s_helpers.measure.lane import fit
from k8s_helpers.measure.objects import Clock
from k8s_helpers.measure.recording import Mark, PodEvent, PodEventKind, Recording, Run, Sample

MIB = 1 << 20
FOLDER = MANIFESTS / labs.get("memory").folder
CLOCK = Clock(0.0, 0.0)


def event(at_s: float, kind: PodEventKind, detail: str = "") -> PodEvent:
    return PodEvent(at_s, "fuite", "uid", kind, "receipt", "v1", "fuite", detail)


def leaking(
    name: str,
    death: str,
    top_mib: int,
    waits: tuple[float, ...],
    life_s: float = 4.0,
    **parameters: object,
) -> Run:
    """Return a run of which each life grows in a straight line to `top_mib`; the last wait is not over."""
    pods, samples, at_s = [], [], 1.0
    for number, wait_s in enumerate((*waits, 3.0)):
        pods.append(event(at_s, "started"))
        if number:
            pods.append(event(at_s, "restarted", death))
        samples.append(Sample(at_s + 0.2, "heap_max_bytes", 124 * MIB, "fuite"))
        for step in range(1, 11):
            moment_s = at_s + 0.3 + (life_s - 0.4) * step / 10
            samples.append(Sample(moment_s, "memory_bytes", top_mib * MIB * step / 10, "cgroup"))
            samples.append(Sample(moment_s, "heap_bytes", 120 * MIB * step / 10, "fuite"))
        pods.append(event(at_s + life_s, "died", death))
        pods.append(event(at_s + life_s + 0.1, "waiting", "CrashLoopBackOff"))
        at_s += life_s + wait_s
    found = {
        "limit_bytes": 512 * MIB,
        "leak_bytes_per_s": 30.0 * MIB,
        "java_options": "",
        "stand_in": False,
        **parameters,
    }
    return Run(
        name, "2026-01-01T10:00:00+00:00", at_s, found, pods=tuple(pods), samples=tuple(samples)
    )


def default_heap() -> Run:
    return leaking("default-heap", "Error 1", 145, (0.5, 10.4, 21.0))


def large_heap(**parameters: object) -> Run:
    told = {"java_options": "-Xmx1g", **parameters}
    return leaking("large-heap", "OOMKilled 137", 511, (0.5, 10.4, 21.0), 16.0, **told)


def recording(*runs: Run) -> Recording:
    return Recording("memory", "embedded", "v1.37.0", runs or (default_heap(), large_heap()))


def test_lives_deaths_and_waits() -> None:
    found = labs.memory.summarize(default_heap())
    assert [life.start_s for life in found.lives] == pytest.approx([1.0, 5.5, 19.9, 44.9])
    assert [life.length_s for life in found.lives] == pytest.approx([4.0] * 4)
    assert {(life.reason, life.exit_code) for life in found.lives} == {("Error", 1)}
    assert {life.peak_bytes for life in found.lives} == {145 * MIB}
    assert [wait.delay_s for wait in found.waits] == [0, 10, 20, 40]
    assert [wait.over for wait in found.waits] == [True, True, True, False]
    assert all(wait.as_predicted for wait in found.waits)
    assert (found.restarts, found.leak.heap_bytes, found.heap_max_bytes) == (
        3,
        128 * MIB,
        124 * MIB,
    )
    assert found.heap_was_full and found.died_as_predicted


def test_a_wait_that_is_too_short_or_too_long_is_not_as_predicted() -> None:
    for waits in ((0.5, 5.0), (0.5, 25.0)):
        run = leaking("default-heap", "Error 1", 145, waits)
        story = labs.get("memory").to_story(recording(run))
        assert story.verdicts["default-heap.waits-as-predicted"] is False


def test_another_death_than_predicted_is_seen() -> None:
    run = leaking("large-heap", "Error 1", 145, (0.5,), java_options="-Xmx1g")
    assert not labs.memory.summarize(run).died_as_predicted


def test_the_summary_has_exactly_what_the_contract_says() -> None:
    plain = labs.summarize(recording())
    assert plain["provider"] == "embedded"
    assert plain["variants"] == {
        "default-heap": {
            "exit_code": 1,
            "reason": "Error",
            "restarts": 3,
            "peak_bytes": 145 * MIB,
            "limit_bytes": 512 * MIB,
        },
        "large-heap": {
            "exit_code": 137,
            "reason": "OOMKilled",
            "restarts": 3,
            "peak_bytes": 511 * MIB,
            "limit_bytes": 512 * MIB,
        },
    }
    json.dumps(plain)


def test_the_figure_says_who_kills_and_how_long_each_wait_is() -> None:
    chart = labs.draw(recording())
    text = chart.alternative
    assert "la JVM s’arrête elle-même (OutOfMemoryError, code 1)" in text
    assert "le noyau tue le conteneur (OOMKilled, code 137)" in text
    assert "après 0, 10 et 20\u00a0s d’attente (mesuré\u00a0: 0,5, 10,4 et 21,0\u00a0s)" in text
    assert len(chart.axes) == 2
    top, bottom = chart.axes
    assert top.get_xlim() == bottom.get_xlim()
    words = [one.get_text() for one in top.texts]
    assert "limite\u00a0: 512\u00a0Mio" in words and "tas, au plus\u00a0: 128\u00a0Mio" in words
    assert any("attente 20\u00a0s" in word for word in words)
    deaths = [line for line in top.lines if line.get_marker() == "X"]
    assert [line.get_xdata()[0] for line in deaths] == pytest.approx([5.0, 9.5, 23.9, 48.9])  # type: ignore[index]


def test_a_stand_in_and_what_is_not_measured_are_told() -> None:
    run = large_heap(stand_in=True)
    refused = Mark(1.0, "refused", "metrics: pas de metrics-server")
    told = labs.draw(
        recording(
            Run(**{name: getattr(run, name) for name in run.__slots__} | {"marks": (refused,)})
        )  # type: ignore[attr-defined]
    )
    assert "doublure" in told.alternative and "metrics : pas de metrics-server" in told.alternative
    assert any("doublure" in text.get_text() for text in told.texts)
    assert "doublure" not in labs.draw(recording()).alternative


def test_a_run_without_any_death_is_drawn_too() -> None:
    run = Run("default-heap", "2026-01-01T10:00:00+00:00", 1.0, default_heap().parameters)
    assert "aucune mort" in labs.draw(recording(run)).alternative
    with pytest.raises(RecordingError, match="vide"):
        labs.memory.draw(Recording("memory", "embedded", "v1.37.0", ()))


def test_the_programs_lines_are_read_once_and_what_the_jvm_writes_is_left_out() -> None:
    text = (
        "Picked up JAVA_TOOL_OPTIONS: -Xmx1g\n"
        '{"time":"1970-01-01T00:00:02.5Z","event":"starting","heap_used_bytes":1,"heap_max_bytes":9,'
        '"memory_bytes":5,"memory_source":"cgroup"}\n'
        '{"time":"1970-01-01T00:00:03Z","event":"lea'
    )
    seen: set[str] = set()
    (line,) = leak.lines(text, seen)
    assert list(leak.lines(text, seen)) == []
    assert list(leak.samples(line, CLOCK)) == [
        Sample(2.5, "memory_bytes", 5, "cgroup"),
        Sample(2.5, "heap_bytes", 1, "fuite"),
        Sample(2.5, "heap_max_bytes", 9, "fuite"),
    ]


def test_what_kubectl_top_says_is_of_its_own_instant() -> None:
    metrics = {
        "timestamp": "1970-01-01T00:00:07Z",
        "containers": [{"usage": {"cpu": "1m", "memory": "3Mi"}}],
    }
    assert list(leak.metrics_samples(metrics, CLOCK)) == [
        Sample(7.0, "metrics_bytes", 3 * MIB, "fuite")
    ]
    assert list(leak.metrics_samples({"containers": []}, CLOCK)) == []


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_course_s_pod_runs_with_the_measure_s_numbers(variant: str) -> None:
    (document,) = manifests.read(FOLDER / VARIANTS[variant])
    pod = fit(document.object, {"fuite:v1": "local/fuite:v1"}, fitted(40.0, 256))
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "local/fuite:v1"
    assert container["resources"]["limits"] == {"memory": "256Mi"}
    facts = asked(pod)
    assert facts["limit_bytes"] == 256 * MIB
    assert facts["leak_bytes_per_s"] == 40 * MIB
    assert facts["java_options"] == ("-Xmx512m" if variant == "large-heap" else "")


@pytest.mark.parametrize("variants", ["large-heap", [], ["large-heap"] * 2, ["tas"]])
def test_variants_that_make_no_sense_are_refused(variants: object) -> None:
    with pytest.raises(UsageError, match="default-heap, large-heap"):
        labs.memory.measure(variants)  # type: ignore[arg-type]


@pytest.mark.parametrize("numbers", [{"restarts": 9}, {"leak_mb_per_s": 0}, {"limit_mib": 16}])
def test_numbers_out_of_bounds_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="64 à 2\u202f048 Mio"):
        labs.memory.measure(**numbers)  # type: ignore[arg-type]


def told(*events: tuple[float, PodEventKind, str], **changes: Any) -> Run:
    """Return a run of the default heap from its pod's events alone."""
    made = tuple(event(*one) for one in events)
    return replace(default_heap(), **{"pods": made, "samples": (), "ended_s": 60.0, **changes})


def test_a_death_is_a_reason_and_a_status_where_it_tells_them() -> None:
    run = told(
        (1.0, "started", ""),
        (5.0, "died", "OOMKilled 137"),
        (6.0, "started", ""),
        (8.0, "died", "Error -1"),
        (20.0, "started", ""),
        (21.0, "died", "ContainerStatusUnknown"),
    )
    lives = labs.memory.summarize(run).lives
    assert [(one.start_s, one.end_s, one.reason, one.exit_code) for one in lives] == [
        (1.0, 5.0, "OOMKilled", 137),
        (6.0, 8.0, "Error", -1),
        (20.0, 21.0, "ContainerStatusUnknown", None),
    ]
    found = labs.memory.summarize(run)
    assert (found.reason, found.exit_code) == ("ContainerStatusUnknown", None)
    assert {one.peak_bytes for one in lives} == {None}


def test_a_life_whose_start_was_not_seen_begins_with_the_run_or_the_death_before() -> None:
    found = labs.memory.summarize(told((3.0, "died", "Error 1"), (9.0, "died", "Error 1")))
    assert [(one.start_s, one.end_s) for one in found.lives] == [(0.0, 3.0), (3.0, 9.0)]
    assert found.restarts == 0


def test_no_death_has_no_reason_and_died_as_predicted() -> None:
    found = labs.memory.summarize(told((1.0, "started", "")))
    assert (found.reason, found.exit_code, found.lives, found.waits) == (None, None, (), ())
    assert (found.peak_bytes, found.heap_peak_bytes, found.source) == (None, None, "metrics")
    assert found.died_as_predicted and not found.heap_was_full


@pytest.mark.parametrize(
    ("again_s", "as_predicted"),
    [(5.0, True), (9.0, True), (10.0, True), (10.1, False)],  # at once: 0 to 4 s, and one of slack
)
def test_a_wait_is_over_with_the_next_start_and_as_long_as_the_kubelet_may_take(
    again_s: float, as_predicted: bool
) -> None:
    run = told((1.0, "started", ""), (5.0, "died", "Error 1"), (again_s, "started", ""))
    (wait,) = labs.memory.summarize(run).waits
    if again_s == 5.0:  # an instant that is told to the second only is not after itself
        assert not wait.over and wait.end_s == 60.0
    else:
        assert wait.over and (wait.start_s, wait.end_s) == (5.0, again_s)
    assert wait.as_predicted == as_predicted


def test_each_life_has_the_peak_of_its_own_samples() -> None:
    def said(at_s: float, name: str, value: int) -> Sample:
        return Sample(at_s, name, value * MIB, "cgroup")

    run = told(
        (1.0, "started", ""),
        (5.0, "died", "Error 1"),
        (6.0, "started", ""),
        (9.0, "died", "Error 1"),
        samples=(
            said(0.5, "heap_max_bytes", 120),  # the API's second was 0.6 s late
            said(0.7, "memory_bytes", 90),
            said(4.0, "memory_bytes", 70),
            said(5.4, "memory_bytes", 95),  # and late once more
            said(5.6, "heap_max_bytes", 124),
            said(5.8, "memory_bytes", 60),
            said(8.0, "memory_bytes", 80),
            said(8.5, "heap_bytes", 99),
            said(8.5, "metrics_bytes", 110),
        ),
    )
    found = labs.memory.summarize(run)
    assert [one.peak_bytes for one in found.lives] == [95 * MIB, 80 * MIB]
    assert found.peak_bytes == 110 * MIB  # `kubectl top` may see more than the program says
    assert (found.heap_peak_bytes, found.heap_max_bytes) == (99 * MIB, 124 * MIB)
    assert found.source == "cgroup"
    assert not found.heap_was_full


@pytest.mark.parametrize(("used_mib", "full"), [(100, True), (99, False)])
def test_a_heap_is_full_from_four_fifths_on(used_mib: int, full: bool) -> None:
    samples = (
        Sample(1.2, "heap_max_bytes", 125 * MIB, "fuite"),
        Sample(2.0, "heap_bytes", used_mib * MIB, "fuite"),
    )
    found = labs.memory.summarize(told((1.0, "started", ""), samples=samples))
    assert found.heap_was_full == full


def test_where_both_deaths_were_foreseen_either_is_as_predicted() -> None:
    run = leaking("large-heap", "Error 1", 145, (0.5,), java_options="-Xmx460m")
    assert labs.memory.summarize(run).died_as_predicted


def test_a_leak_is_told_by_its_deaths_its_waits_and_how_long_it_lived() -> None:
    story = labs.get("memory").to_story(recording(default_heap()))
    assert story.verdicts == {
        "default-heap.deaths": ["Error 1"] * 4,
        "default-heap.restarts": 3,
        "default-heap.waits": [0, 10, 20, 40],
        "default-heap.waits-as-predicted": True,
        "default-heap.dies-as-predicted": True,
        "default-heap.heap-full": True,
    }
    assert story.durations_s == pytest.approx(
        {
            "default-heap.life": 4.0,
            "default-heap.wait-0": 0.5,
            "default-heap.wait-10": 10.4,
            "default-heap.wait-20": 21.0,
        }
    )


def test_a_recording_of_format_1_holds_the_same_codes() -> None:
    old, kept = (
        Recording.load(Path(__file__).with_name("format_1.json")),
        labs.kept("memory", "kind"),
    )
    assert [run.marks for run in old.runs] == [run.marks for run in kept.runs]
    assert list(labs.memory.summarize(old.runs[0]).unread) == ["metrics"]


def test_a_first_restart_that_is_late_or_does_not_come_is_told_as_such() -> None:
    def written(*waits: float) -> str:
        chart = labs.draw(recording(leaking("default-heap", "Error 1", 145, waits)))
        return " ".join(text.get_text() for text in chart.axes[0].texts)

    assert "redémarré aussitôt" in written(0.5, 10.4)
    assert "redémarré après 8" in written(8.0, 10.4)
    assert "pas encore redémarré" in written()
