"""What two containers of one pod share: what is drawn and said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8s_helpers import labs
from k8s_helpers.labs.shared_pod.summary import to_story
from k8s_helpers.measure.recording import Mark, Recording, Run

DETAILS = {
    "network": "http://127.0.0.1:8080 200",
    "ports": "EADDRINUSE",
    "volume": "bonjour du site",
    "root": "",
    "processes": "2",
}
DESIGN = {"network": True, "ports": True, "volume": True, "root": False, "processes": False}


def pod(provider: str = "kind", **shared: bool) -> Recording:
    """Return a recording that is as Kubernetes promises, but for what is given."""
    facts = [
        {"name": name, "shared": up, "detail": DETAILS[name]}
        for name, up in (DESIGN | shared).items()
    ]
    times = (("apply", 1.0), ("ready", 2.5), ("delete", 3.0), ("gone", 4.0))
    marks = tuple(Mark(at_s, kind) for kind, at_s in times)
    run = Run("shared_pod", "2026-01-01T10:00:00+00:00", 5.0, {"facts": facts}, marks=marks)
    return Recording("shared_pod", provider, "v1.37.0", (run,))


def said(made: Recording) -> str:
    return labs.shared_pod.draw(made).alternative.replace("\u00a0", " ")


def test_what_kubernetes_promises_is_said_in_short() -> None:
    assert "ni processus ni racine" in said(pod())
    assert "GET http://127.0.0.1:8080 depuis « voisin » : 200" in said(pod())


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("processes", "la liste des processus (partagé)"),
        ("network", "le réseau : à chacun le sien (pas partagé)"),
        ("ports", "les ports : le même s’ouvre deux fois (pas partagé)"),
    ],
)
def test_what_is_otherwise_is_named(fact: str, words: str) -> None:
    odd = pod(**{fact: not DESIGN[fact]})
    assert f"Contrairement à un cluster de production, ici : {words}" in said(odd)
    assert to_story(odd).verdicts[f"shares.{fact}"] is not DESIGN[fact]


def test_nobody_who_answers_is_said() -> None:
    (run,) = pod().runs
    facts = [{"name": "network", "shared": False, "detail": "http://127.0.0.1:8080"}]
    silent = replace(run, parameters={"facts": facts + run.parameters["facts"][1:]})
    assert "depuis « voisin » : pas de réponse" in said(replace(pod(), runs=(silent,)))


def test_the_story_has_the_start_and_the_end() -> None:
    assert to_story(pod()).durations_s == {"start": 1.5, "end": 1.0}


def test_where_the_pod_has_no_localhost_its_address_is_spoken_of() -> None:
    assert "BIND_ADDR" not in said(pod("embedded"))
    (run,) = pod().runs
    facts = [{"name": "network", "shared": True, "detail": "http://127.244.0.5:8080 200"}]
    on_loopback = replace(run, parameters={"facts": facts + run.parameters["facts"][1:]})
    assert "BIND_ADDR" in said(replace(pod("embedded"), runs=(on_loopback,)))
