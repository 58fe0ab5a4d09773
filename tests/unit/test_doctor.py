"""What the doctor concludes from what it reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedded_kubernetes import preflight
from embedded_kubernetes.node import isolation
from k8s_helpers._errors import ImageError
from k8s_helpers.cli import call, doctor
from k8s_helpers.cli.checks import clusters, images, machine, tools
from k8s_helpers.cli.checks.machine import Diagnosis
from k8s_helpers.providers.pool.leases import Holding


def test_macos_is_sent_to_kind() -> None:
    check = machine.check_system("Darwin", "arm64")
    assert check.state == "missing"
    assert check.stops == ("embedded",)
    assert "kind" in check.advice


def test_a_rare_processor_has_neither() -> None:
    assert machine.check_system("Linux", "riscv64").stops == ("embedded", "kind")
    assert machine.check_system("Linux", "aarch64").state == "ok"


@pytest.mark.parametrize(("version", "state"), [((3, 10, 9), "missing"), ((3, 11, 0), "ok")])
def test_python_must_be_recent(version: tuple[int, ...], state: str) -> None:
    assert machine.check_python(version).state == state


def test_memory_between_embedded_and_kind_is_limited() -> None:
    assert machine.check_memory(preflight.MEMORY_BYTES - 1).stops == ("embedded", "kind")
    assert machine.check_memory(preflight.MEMORY_BYTES).state == "limited"
    assert machine.check_memory(machine.KIND_MEMORY_BYTES).state == "ok"


def test_disk_to_compile_counts_only_without_binaries() -> None:
    free = machine.COMPILE_DISK_BYTES - 1
    assert machine.check_disk(free, Path("/x"), have_binaries=True).state == "ok"
    assert machine.check_disk(free, Path("/x"), have_binaries=False).state == "limited"
    assert machine.check_disk(1, Path("/x"), have_binaries=True).state == "missing"


@pytest.mark.parametrize(
    ("first", "root", "state"),
    [(1024, False, "limited"), (1024, True, "ok"), (80, False, "ok"), (None, False, "limited")],
)
def test_low_ports(first: int | None, root: bool, state: str) -> None:
    assert machine.check_low_ports(first, root).state == state


@pytest.mark.parametrize(("version", "state"), [(None, "limited"), (11, "limited"), (17, "ok")])
def test_java_must_run_the_courses_programs(version: int | None, state: str) -> None:
    check = tools.judge_java(version)
    assert (check.state, check.stops) == (state, ())
    assert ("openjdk-17" in check.advice) == (state == "limited")


@pytest.mark.parametrize(
    ("jar", "maven", "compiler", "state", "word"),
    [
        (True, False, None, "ok", "déjà"),
        (False, True, 17, "ok", "javac 17"),
        (False, False, 17, "limited", "Maven est introuvable"),
        (False, True, None, "limited", "javac est introuvable"),
        (False, True, 11, "limited", "javac 11 est trop ancien"),
    ],
)
def test_the_spring_program_needs_a_jar_or_maven(
    jar: bool, maven: bool, compiler: int | None, state: str, word: str
) -> None:
    check = tools.judge_spring(jar, maven, compiler)
    assert (check.state, check.stops) == (state, ())
    assert word in check.found
    assert ("maven" in check.advice) == (state == "limited")


def test_only_what_is_missing_stops_a_provider() -> None:
    checks = [
        Diagnosis("a", "limited", "", stops=("embedded",)),
        Diagnosis("b", "missing", "", stops=("kind",)),
    ]
    assert doctor.usable_providers(checks) == ["embedded"]
    assert doctor.usable_providers([]) == ["kind", "embedded"]


def test_the_description_names_what_up_will_take() -> None:
    text = doctor.describe(
        [Diagnosis("Mémoire", "missing", "0,1 Go", "Fermez tout.")], ["embedded"]
    )
    assert "✘ Mémoire : 0,1 Go\n    → Fermez tout." in text
    assert "« k8s-lab up » prendra le cluster embarqué" in text


def test_a_machine_without_any_cluster_exits_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hopeless = Diagnosis("Système", "missing", "Plan 9", "", ("embedded", "kind"))
    monkeypatch.setattr(doctor, "examine", lambda: [hopeless])
    assert call(["doctor"]) == 3
    assert "existing" in capsys.readouterr().out


def test_json_is_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Diagnosis("Go", "limited", "introuvable")])
    assert call(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["providers"] == ["kind", "embedded"]
    assert told["checks"][0]["subject"] == "Go"


def test_this_machine_is_examined_without_harm() -> None:
    subjects = [check.subject for check in doctor.examine()]
    assert len(subjects) == len(set(subjects)) == 19


def test_what_hangs_in_a_running_cluster_is_told() -> None:
    assert machine.judge_clusters({}).found == "aucun"
    assert machine.judge_clusters({"cours": ()}).state == "ok"
    check = machine.judge_clusters(
        {"cours": (), "tp": ("tp-node-1 : ne répond plus depuis 6 s", "etcd : tué")}
    )
    assert (check.state, check.stops) == ("limited", ())
    assert "« tp » : tp-node-1 : ne répond plus depuis 6 s ; etcd : tué" in check.found
    assert "k8s-lab down --name tp" in check.advice


_REFUSED = isolation.Refusal(1, "Operation not permitted", "unshare")


@pytest.mark.parametrize(
    ("refused", "state", "found"),
    [
        (isolation.Refusals(None, None), "ok", "overlayfs"),
        (isolation.Refusals(None, _REFUSED), "ok", "leurs propres fichiers"),
        (isolation.Refusals(None, None, "overlay: Invalid argument"), "limited", "copie"),
        (isolation.Refusals(_REFUSED, _REFUSED), "limited", "host/python"),
    ],
)
def test_real_images_need_namespaces_and_are_quick_with_overlays(
    refused: isolation.Refusals, state: str, found: str
) -> None:
    check = images.judge_images(refused)
    assert (check.state, check.stops) == (state, ())
    assert found in check.found
    assert bool(check.advice) == (state == "limited")


def test_without_namespaces_by_choice_only_this_machine_s_programs_run() -> None:
    assert "host/shell" in images.judge_images(given_up=True).found


def test_pods_lack_internet_or_policies_where_a_program_is_missing() -> None:
    both = {"slirp4netns": "/usr/bin/slirp4netns", "nft": "/usr/sbin/nft"}
    assert tools.judge_network_programs(both).state == "ok"
    check = tools.judge_network_programs({**both, "nft": None})
    assert check.state == "limited" and "NetworkPolicies" in check.found
    assert "nftables" in check.advice and "slirp4netns" not in check.advice


def test_a_cluster_that_was_looked_at_is_what_up_takes() -> None:
    good = Diagnosis(machine.EXISTING, "ok", "https://10.0.0.1:6443, Kubernetes v1.37.0")
    assert doctor.usable_providers([good]) == ["existing", "kind", "embedded"]
    bad = Diagnosis(machine.EXISTING, "missing", "rien n’y répond", "", ("existing",))
    assert doctor.usable_providers([bad]) == ["kind", "embedded"]
    assert "prendra le cluster existant" in doctor.describe([good], ["existing"])


@pytest.mark.parametrize(
    ("holdings", "state", "word"),
    [
        ([Holding("a"), Holding("b", asked="tp")], "ok", "2\xa0espaces de noms, dont 1\xa0libre"),
        ([Holding("a", asked="tp")], "limited", "tous pris"),
        ([Holding("a"), Holding("b", stuck="un finalizer")], "limited", "b"),
    ],
)
def test_a_class_gives_namespaces(holdings: list[Holding], state: str, word: str) -> None:
    check = clusters.judge_namespaces(holdings)
    assert check.state == state and word in check.found
    assert bool(check.advice) == (state == "limited")


def test_images_that_nobody_has_named_stop_an_existing_cluster() -> None:
    problem = ImageError("Trouver", "K8S_HELPERS_IMAGE_PREFIX n’est pas définie", "Poussez-les.")
    check = clusters.judge_images(0, "", problem)
    assert (check.state, check.stops, check.advice) == ("missing", ("existing",), "Poussez-les.")
    assert "12\xa0images" in clusters.judge_images(12, "", None).found
    assert "« r/cours/ »" in clusters.judge_images(0, "r/cours/", None).found


def test_what_will_refuse_is_named() -> None:
    assert clusters.judge_refusals({}, 116).state == "ok"
    check = clusters.judge_refusals({"14-tri": "un droit", "added_node": "un droit"}, 116)
    assert check.state == "limited"
    assert "114 sur 116" in check.found and "14-tri, added_node" in check.found


def test_a_provider_that_does_not_exist_is_told_and_the_machine_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Diagnosis("Go", "limited", "introuvable")])
    assert call(["doctor", "--provider", "kin"]) == 0
    said = capsys.readouterr().out
    assert "• Go" in said and "• Cluster choisi : il n’existe pas" in said
