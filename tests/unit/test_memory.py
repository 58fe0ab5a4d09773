"""A leak's recording: lives, deaths, waits, verdicts and figure, on runs whose every number is known."""

from __future__ import annotations

import json

import pytest

from k8s_helpers import charts, experiments, timeline
from k8s_helpers._errors import RecordingError, UsageError
from k8s_helpers.experiments import leak
from k8s_helpers.experiments.memory import VARIANTS, _facts, _fitted
from k8s_helpers.recorder import Clock
from k8s_helpers.recording import Mark, PodEvent, PodEventKind, Recording, Run, Sample

MIB = 1 << 20
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
    found = timeline.memory_summary(default_heap())
    assert [life.start_s for life in found.lives] == pytest.approx([1.0, 5.5, 19.9, 44.9])
    assert [life.length_s for life in found.lives] == pytest.approx([4.0] * 4)
    assert {(life.reason, life.exit_code) for life in found.lives} == {("Error", 1)}
    assert {life.peak_bytes for life in found.lives} == {145 * MIB}
    assert [wait.delay_s for wait in found.waits] == [0, 10, 20, 40]
    assert [wait.over for wait in found.waits] == [True, True, True, False]
    assert all(wait.as_predicted for wait in found.waits)
    assert (found.restarts, found.heap_bytes, found.heap_max_bytes) == (3, 128 * MIB, 124 * MIB)
    assert found.heap_was_full and found.died_as_predicted


def test_a_wait_that_is_too_short_or_too_long_is_not_as_predicted() -> None:
    for waits in ((0.5, 5.0), (0.5, 25.0)):
        run = leaking("default-heap", "Error 1", 145, waits)
        story = timeline.STORIES["memory"](recording(run))
        assert story.verdicts["default-heap : attentes comme prévu"] is False


def test_another_death_than_predicted_is_seen() -> None:
    run = leaking("large-heap", "Error 1", 145, (0.5,), java_options="-Xmx1g")
    assert not timeline.memory_summary(run).died_as_predicted


def test_the_summary_has_exactly_what_the_contract_says() -> None:
    plain = timeline.summary_json(recording())
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
    chart = charts.draw(recording())
    text = chart.alternative
    assert "la JVM s’arrête elle-même (OutOfMemoryError, code 1)" in text
    assert "le noyau tue le conteneur (OOMKilled, code 137)" in text
    assert "après 0, 10 et 20\u00a0s d’attente (mesuré\u00a0: 0,5, 10,4 et 21,0\u00a0s)" in text
    assert len(chart.axes) == 2
    top, bottom = chart.axes
    assert top.get_xlim() == bottom.get_xlim()
    words = [one.get_text() for one in top.texts]
    assert "limite\u00a0: 512\u00a0Mio" in words and "tas\u00a0: 128\u00a0Mio" in words
    assert any("attente 20\u00a0s" in word for word in words)
    deaths = [line for line in top.lines if line.get_marker() == "X"]
    assert [line.get_xdata()[0] for line in deaths] == pytest.approx([5.0, 9.5, 23.9, 48.9])  # type: ignore[index]


def test_a_stand_in_and_what_is_not_measured_are_told() -> None:
    run = large_heap(stand_in=True)
    refused = Mark(1.0, "refused", "metrics : pas de metrics-server")
    told = charts.draw(
        recording(
            Run(**{name: getattr(run, name) for name in run.__slots__} | {"marks": (refused,)})
        )  # type: ignore[attr-defined]
    )
    assert "doublure" in told.alternative and "pas de metrics-server" in told.alternative
    assert any("doublure" in text.get_text() for text in told.texts)
    assert "doublure" not in charts.draw(recording()).alternative


def test_a_run_without_any_death_is_drawn_too() -> None:
    run = Run("default-heap", "2026-01-01T10:00:00+00:00", 1.0, default_heap().parameters)
    assert "aucune mort" in charts.draw(recording(run)).alternative
    with pytest.raises(RecordingError, match="vide"):
        charts.memory(Recording("memory", "embedded", "v1.37.0", ()))


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


def test_go_durations() -> None:
    assert [leak.go_seconds(text) for text in ("10s", "1m20s", "5m0s")] == [10, 80, 300]


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_course_s_pod_runs_with_the_measure_s_numbers(variant: str) -> None:
    pod = _fitted(variant, "local/fuite:v1", 40.0, 256)
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "local/fuite:v1"
    assert container["resources"]["limits"] == {"memory": "256Mi"}
    facts = _facts(pod)
    assert facts["limit_bytes"] == 256 * MIB
    assert facts["leak_bytes_per_s"] == 40 * MIB
    assert facts["java_options"] == ("-Xmx512m" if variant == "large-heap" else "")


@pytest.mark.parametrize("variants", ["large-heap", [], ["large-heap"] * 2, ["tas"]])
def test_variants_that_make_no_sense_are_refused(variants: object) -> None:
    with pytest.raises(UsageError, match="default-heap, large-heap"):
        experiments.memory(variants)  # type: ignore[arg-type]


@pytest.mark.parametrize("numbers", [{"restarts": 9}, {"leak_mb_per_s": 0}, {"limit_mib": 16}])
def test_numbers_out_of_bounds_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="64 à 2048 Mio"):
        experiments.memory(**numbers)  # type: ignore[arg-type]
