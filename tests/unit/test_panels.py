"""Panels: their logic as pure functions, and the widgets as a hand would move them."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from k8s_helpers import panels
from k8s_helpers._errors import UsageError
from k8s_helpers._french import duration
from k8s_helpers.forecasts.autoscaling import DEFAULT_DOWN, Autoscaler, Rules
from k8s_helpers.forecasts.autoscaling_course import rounds, stretches
from k8s_helpers.forecasts.probe_spec import KINDS as PROBE_KINDS
from k8s_helpers.forecasts.probe_spec import Probe
from k8s_helpers.forecasts.span import Span
from k8s_helpers.panels import layers
from k8s_helpers.panels.availability import availability_percent, downtime
from k8s_helpers.panels.decision import KINDS, KUBERNETES, OPTIONS, Context, Thresholds, recommend
from k8s_helpers.panels.panel import Panel
from k8s_helpers.panels.probe_timeline import SLIDE_PROBES, sentence, timeline

ALL = {
    "as_a_service": panels.as_a_service,
    "as_a_service_quiz": panels.as_a_service_quiz,
    "autoscaler": panels.autoscaler,
    "availability": panels.availability,
    "decision_aid": panels.decision_aid,
    "probe_timeline": panels.probe_timeline,
    "update_parameters": panels.update_parameters,
}


def _text(panel: Panel) -> str:
    """Return what the panel says, without tags, spaces made plain."""
    plain = re.sub(r"<[^>]+>", " ", panel.result.value)
    return re.sub(r"\s+", " ", plain)


# --- who manages what


def test_each_model_leaves_fewer_layers_than_the_one_before() -> None:
    yours = [model.yours for model in layers.models().values()]
    assert yours == sorted(yours, reverse=True) and len(set(yours)) == len(yours)
    assert yours[0] == len(layers.layers()) and yours[-1] == 1


def test_with_kubernetes_as_a_service_the_orchestrator_is_the_provider_s() -> None:
    assert layers.managers("CaaS")["Orchestrateur"] == layers.PROVIDER
    assert layers.managers("IaaS")["Orchestrateur"] == layers.YOU
    assert layers.managers("CaaS")["Nombre d’exemplaires"] == layers.YOU


def test_an_attempt_is_marked_layer_by_layer() -> None:
    attempt: dict[str, str | None] = dict.fromkeys(layers.layers(), layers.YOU)
    marked = layers.mark("IaaS", attempt)
    assert marked.wrong == (
        "Virtualisation",
        "Serveurs, disques, réseau",
        "Bâtiment et électricité",
    )
    assert not marked.left and not marked.passed
    assert layers.mark("IaaS", {}).left == layers.layers()
    assert layers.mark("IaaS", dict(layers.managers("IaaS"))).passed


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="CaaS"):
        panels.as_a_service("XaaS")


def test_the_quiz_is_passed_by_hand() -> None:
    quiz = panels.as_a_service_quiz("PaaS")
    assert "encore à placer" in _text(quiz)
    for rank, who in enumerate(layers.managers("PaaS").values()):
        quiz.set(**{f"layer_{rank}": who})
    assert "tout est à sa place" in _text(quiz)
    quiz.set(layer_0=layers.PROVIDER)
    assert "à revoir : « Données et réglages »" in _text(quiz)


# --- availability


def test_99_percent_of_730_hours_leaves_7_3_hours() -> None:
    found = downtime(99)
    assert found.month_s / 3600 == pytest.approx(7.3)
    assert found.year_s / 3600 == pytest.approx(87.6)
    assert duration(found.month_s) == "7,3\u00a0h"


def test_services_in_a_row_multiply() -> None:
    assert downtime(99, 3).availability == pytest.approx(0.970299)
    assert downtime(100, 10).month_s == 0


def test_availability_and_downtime_are_each_other_s_way_back() -> None:
    for percent in (0, 50, 99.95, 100):
        assert availability_percent(downtime(percent).month_s) == pytest.approx(percent)


@pytest.mark.parametrize(
    "call", [lambda: downtime(101), lambda: downtime(99, 0), lambda: availability_percent(-1)]
)
def test_impossible_availabilities_are_refused(call: object) -> None:
    with pytest.raises(UsageError):
        call()  # type: ignore[operator]


def test_the_calculator_follows_the_hand() -> None:
    panel = panels.availability()
    assert "7,3 h de panne par mois" in _text(panel)
    panel.set(percent=99.9)
    assert "43,8 min de panne par mois" in _text(panel)
    panel.set(in_a_row=3)
    assert "3 services à la suite" in _text(panel) and "99,7 %" in _text(panel)


# --- decision


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (Context("prototype", 1, 1), "PaaS"),
        (Context("monolithe", 1, 3), "Machine virtuelle"),
        (Context("services", 4, 4), "Docker Compose"),
        (Context("evenements", 2, 4), "Serverless"),
        (Context("services", 25, 40, True, 99.95, True, True), "Kubernetes"),
    ],
)
def test_the_slides_own_cases(context: Context, expected: str) -> None:
    found = recommend(context)
    assert found.option == expected
    assert found.reasons


def test_kubernetes_is_never_advised_for_less_than_the_slide_s_dozen_when_nobody_knows_it() -> None:
    for kind in KINDS:
        for services in (1, 5, 9):
            for peaks in (False, True):
                found = recommend(Context(kind, services, 4, peaks, 99.0, False, False))
                assert found.option != KUBERNETES, found


def test_a_rule_says_the_threshold_it_was_judged_by_and_moves_with_it() -> None:
    context = Context("services", 6, 20, skilled=True)
    assert recommend(context).option == "Docker Compose"
    sterner = recommend(context, Thresholds(many_services=5))
    assert sterner.option == KUBERNETES
    assert any("au moins 5 services" in rule.condition and rule.applies for rule in sterner.rules)


def test_scores_are_the_sum_of_the_rules_that_apply() -> None:
    found = recommend(Context("services", 12, 3, True, 99.9, True, False))
    for option in OPTIONS:
        total = sum(rule.points.get(option, 0) for rule in found.rules if rule.applies)
        assert found.scores[option] == total
    assert found.scores[found.option] == max(found.scores.values())


def test_a_context_that_makes_no_sense_is_refused() -> None:
    for broken in (replace(Context(), kind="x"), replace(Context(), services=0)):
        with pytest.raises(UsageError):
            recommend(broken)


def test_the_decision_aid_follows_the_hand_and_shows_every_rule() -> None:
    panel = panels.decision_aid()
    assert "Docker Compose" in _text(panel)
    assert _text(panel).count("✔ oui") + _text(panel).count(" non ") == 10
    panel.set(services=25, peaks=True, skilled=True, availability_percent=99.99)
    assert "Le plus raisonnable ici : Kubernetes" in _text(panel)


# --- update


def test_the_update_panel_predicts_as_the_hand_moves() -> None:
    panel = panels.update_parameters()
    assert "4 pods au plus" in _text(panel) and "3 pods prêts au moins" in _text(panel)
    panel.set(replicas=8)
    assert "10 pods au plus" in _text(panel) and "2 vagues" in _text(panel)
    panel.set(max_surge="0", max_unavailable="0")
    assert "L’API refuse ce réglage" in _text(panel)


# --- probes


def test_the_slide_s_numbers_lead_to_ready_within_one_period() -> None:
    found = timeline(SLIDE_PROBES, 60.0)
    assert found.foreseen.ready == Span(60, 70) and found.foreseen.kill is None
    assert found.course.ready_s == 69.0  # ticks every 10 s, which began 1 s before the container
    assert [one.at_s for one in found.course.checks if one.kind == "liveness" and one.asked] == [
        14.0,
        29.0,
        44.0,
        59.0,
        74.0,
    ]
    assert found.too_soon_s == 0


def test_without_readiness_clients_come_too_soon() -> None:
    found = timeline({}, 40.0)
    assert found.course.ready_s == 0 and found.too_soon_s == 40
    assert "trop tôt" in sentence(found)


def test_a_slow_answer_has_a_healthy_program_killed() -> None:
    probes = {
        "readiness": Probe("readiness", period_s=5, timeout_s=5),
        "liveness": Probe("liveness", period_s=10, timeout_s=1),
    }
    assert timeline(probes, 4.0, takes_s=0.5).course.killed_s is None
    slow = timeline(probes, 4.0, takes_s=3.0)
    assert slow.course.ready_s is not None and slow.course.killed_s is not None
    assert slow.course.ready_s < slow.course.killed_s
    assert "puis tué par sa liveness" in sentence(slow)


def test_the_probe_panel_follows_the_hand() -> None:
    panel = panels.probe_timeline()
    assert "Ready à 69 s" in _text(panel) and "Jamais tué" in _text(panel)
    panel.set(early=False, liveness_period_s=5)
    assert "Tué par sa liveness à 24 s, alors qu’il lui fallait 60 s" in _text(panel)
    panel.set(startup=True, startup_period_s=5, startup_failures=30)
    assert "Ready à 64 s" in _text(panel) and "Jamais tué" in _text(panel)
    panel.set(readiness=False, startup=False, liveness=False)
    assert "trop tôt" in _text(panel)


def test_the_probe_panel_begins_with_a_manifest_of_one_s_own() -> None:
    pod = {
        "spec": {
            "containers": [
                {"name": "a", "livenessProbe": {"periodSeconds": 90, "failureThreshold": 2}}
            ]
        }
    }
    values = panels.probe_timeline(pod, 20).values
    assert (values["liveness"], values["readiness"], values["startup"]) == (True, False, False)
    assert (values["liveness_period_s"], values["liveness_failures"]) == (90, 2)
    with pytest.raises(UsageError):
        panels.probe_timeline("kind: Service")


def test_a_group_of_settings_is_told_as_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_LIVE", "0")
    told = panels.probe_timeline()._repr_mimebundle_()["text/html"]
    assert told.count("<li><strong>Sonde") == 3
    assert "periodSeconds (liveness)\u00a0: 15" in told


# --- autoscaler


def test_the_rounds_of_a_load_that_ends_go_up_at_once_and_down_after_the_window() -> None:
    scaler = Autoscaler(50, 1, 6)
    made = rounds(1, 175, scaler, later_percent=2)
    assert [(one.current, one.desired) for one in made[:2]] == [(1, 4), (4, 4)]
    down = [one for one in made if one.desired < one.current]
    # Asked for at 0 s: four; last at 45 s; the default window of 300 s forgets them at 345 s.
    assert [(one.at_s, one.current, one.desired) for one in down] == [(345.0, 4, 1)]
    assert "fenêtre de stabilisation" in made[4].words


def test_without_a_window_the_pods_go_at_the_first_look_after_the_load() -> None:
    scaler = Autoscaler(50, 1, 6, down=Rules(DEFAULT_DOWN.policies, 0.0))
    made = rounds(1, 175, scaler, later_percent=2)
    assert next(one.at_s for one in made if one.desired < one.current) == 60.0


def test_rounds_stay_within_bounds_and_policies_and_join_into_stretches() -> None:
    made = rounds(2, 400, Autoscaler(50, 1, 20), later_percent=100)
    # ⌈16⌉, but at most four more, or twice as many, in 15 s.
    assert [one.desired for one in made[:3]] == [6, 12, 16]
    joined = stretches(made)
    assert joined[0].first_s == 0.0 and joined[-1].last_s == made[-1].at_s
    assert len(joined) < len(made)
    assert all(one.desired <= 3 for one in rounds(1, 400, Autoscaler(50, 1, 3)))
    with pytest.raises(UsageError):
        rounds(0, 50, Autoscaler(50, 1, 3))


def test_the_autoscaler_panel_writes_the_formula_and_follows_the_hand() -> None:
    panel = panels.autoscaler()
    assert "⌈1 × 175 % / 50 %⌉ = 4 → 4 pods au lieu de 1" in _text(panel)
    assert "345 s" in _text(panel)
    panel.set(replicas=4, percent=54)
    assert "8 % d’écart, toléré jusqu’à 10 % → 4 pods : rien ne change" in _text(panel)
    panel.set(tolerance_percent=0)
    assert "⌈4 × 54 % / 50 %⌉ = 5" in _text(panel)
    panel.set(max_replicas=4)
    assert "limité à 4 par maxReplicas" in _text(panel)
    panel.set(min_replicas=5)
    assert "L’API refuse ce réglage" in _text(panel)


# --- all


@pytest.mark.parametrize("name", ALL)
def test_a_panel_is_usable_by_keyboard_and_told_to_screen_readers(name: str) -> None:
    panel = ALL[name]()
    for control in panel._controls.values():
        assert type(control).__name__ in ("Dropdown", "IntSlider", "SelectionSlider", "Checkbox")
        assert control.description
    # The place of the result, which stays, is what screen readers listen to; tests/browser sees it done.
    assert "setAttribute('role', 'status')" in panel.result.value
    assert "role='status'" in panel._page()


@pytest.mark.parametrize("name", ALL)
def test_a_stored_panel_is_words_and_needs_no_script(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_HELPERS_LIVE", "0")
    bundle = ALL[name]()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "Exécutez cette cellule" in bundle["text/html"]
    monkeypatch.setenv("K8S_HELPERS_LIVE", "1")
    assert "application/vnd.jupyter.widget-view+json" in ALL[name]()._repr_mimebundle_()


@pytest.mark.parametrize("name", ALL)
def test_what_a_panel_says_is_typeset(name: str) -> None:
    assert not re.search(r"\w [:;?!»]|« \w", re.sub(r"<[^>]+>", "", ALL[name]().result.value))


def test_a_kill_after_minutes_is_told_alike_by_the_sentence_the_forecast_and_the_drawing() -> None:
    probes = {**SLIDE_PROBES, "liveness": replace(SLIDE_PROBES["liveness"], failures=30)}
    found = timeline(probes, 60.0, takes_s=2.0)
    assert found.course.killed_s is not None and found.foreseen.kill is not None
    assert found.foreseen.kill.lo_s <= found.course.killed_s <= found.foreseen.kill.hi_s
    assert "Tué par sa liveness à 450" in sentence(found)
    assert not any("Jamais tué" in row for row in found.foreseen.rows)


def test_whatever_the_settings_the_course_is_long_enough_for_what_is_foreseen() -> None:
    chosen = random.Random(1)
    for _ in range(500):
        kinds = [kind for kind in PROBE_KINDS if chosen.random() < 0.7]
        probes = {
            kind: Probe(
                kind,
                initial_delay_s=chosen.choice([0, 10, 120]),
                period_s=chosen.choice([1, 5, 15, 60]),
                timeout_s=chosen.choice([1, 5, 20]),
                failures=chosen.choice([1, 3, 30, 60]),
                successes=chosen.choice([1, 10]) if kind == "readiness" else 1,
            )
            for kind in kinds
        }
        found = timeline(
            probes,
            chosen.choice([0.0, 60.0, 180.0]),
            early=chosen.random() < 0.5,
            takes_s=chosen.choice([0.0, 0.5, 2.0, 10.0]),
            since_s=chosen.choice([1.0, 17.0]),
        )
        killed_s, foreseen = found.course.killed_s, found.foreseen
        assert killed_s is None or foreseen.kill is not None, probes
        assert killed_s is not None or not (foreseen.certain and foreseen.kills), probes
