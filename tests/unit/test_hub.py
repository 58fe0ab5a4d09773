"""What the hub's image, start script and values rely on; `hub/trial.py` tries them on a real hub."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded_kubernetes.programs.binaries import KUBERNETES_VERSION
from k8s_helpers.kube.classes import HOME_VARIABLE, home_name

ROOT = Path(__file__).resolve().parents[2]
HUB = ROOT / "hub"
LIMIT_S = 30


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return yaml.safe_load((HUB / "values.yaml").read_text("utf-8"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and a `k8s-lab` that only notes what it is asked."""
    lab = tmp_path / "bin" / "k8s-lab"
    lab.parent.mkdir()
    lab.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    lab.chmod(0o755)
    monkeypatch.setenv("PATH", f"{lab.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_server_has_the_account_and_the_home_namespace_that_the_class_makes(
    values: dict[str, Any],
) -> None:
    single = values["singleuser"]
    for student in ("alice-martin", "21304567"):
        for template in (single["serviceAccountName"], single["extraEnv"][HOME_VARIABLE]):
            assert template.format(unescaped_username=student) == home_name("r509", student)
    spawner = values["hub"]["config"]["KubeSpawner"]
    assert spawner["automount_service_account_token"] is True  # the accounts themselves say no
    assert spawner["delete_grace_period"] > 15


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("alice", True),
        ("21304567", True),
        ("a-b", True),
        ("alice.martin@exemple.fr", False),
        ("-a", False),
        ("a-", False),
        ("{pod_name}", False),
        ("a/../b", False),
    ],
)
def test_only_a_students_id_is_a_user_name(values: dict[str, Any], name: str, fits: bool) -> None:
    # As JupyterHub's validate_username: `match`, so that the pattern has to say where a name ends.
    pattern = values["hub"]["config"]["Authenticator"]["username_pattern"]
    assert (re.match(pattern, name) is not None) is fits


def test_nobody_signs_in_before_somebody_chose_how(values: dict[str, Any]) -> None:
    config = values["hub"]["config"]
    assert config["JupyterHub"] == {"authenticator_class": "null", "admin_access": False}
    assert config["Authenticator"]["allowed_users"] == []


def test_the_chart_asks_for_nothing_cluster_wide_or_privileged(values: dict[str, Any]) -> None:
    assert values["scheduling"]["userScheduler"]["enabled"] is False
    assert values["singleuser"]["cloudMetadata"]["blockWithIptables"] is False
    spawner = values["hub"]["config"]["KubeSpawner"]
    assert "enable_user_namespaces" not in spawner
    security = spawner["container_security_context"]
    assert security["runAsNonRoot"] and security["capabilities"] == {"drop": ["ALL"]}


def test_a_server_reaches_the_api_server_and_no_other_port(values: dict[str, Any]) -> None:
    policy = values["singleuser"]["networkPolicy"]
    assert "egressAllowRules" not in policy
    assert [{port["port"] for port in rule["ports"]} for rule in policy["egress"]] == [{443, 6443}]


def test_the_image_has_kubectl_of_the_course_s_version() -> None:
    containerfile = (HUB / "Containerfile").read_text("utf-8")
    assert re.findall(r"registry\.k8s\.io/kubectl:(\S+)", containerfile) == [KUBERNETES_VERSION]


def test_the_image_holds_the_parts_that_a_student_s_copy_is_made_of() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    parts = re.search(r"-c ((?:\w+ )+)\|", (HUB / "start").read_text("utf-8"))
    assert parts is not None
    for part in [*parts[1].split(), "hub", "k8s_helpers", "embedded", "pyproject.toml"]:
        assert f"!{part}" in ignored
        assert (ROOT / part).exists()


def test_a_student_s_own_file_is_not_written_again(home: Path) -> None:
    mine = home / "cours" / "notebooks" / "00_accueil.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("à moi")
    subprocess.run([HUB / "start", "true"], check=True, timeout=LIMIT_S)
    assert mine.read_text() == "à moi"
    assert (mine.parent / "01_introduction.ipynb").exists()
    assert (home / "cours" / "exercises" / "09-zero-perte" / "exercise.yaml").exists()


def test_a_server_s_end_is_the_hub_s_sigterm_then_the_namespaces_given_back(home: Path) -> None:
    server = "trap 'echo ended >> asked; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [HUB / "start", "bash", "-c", f"cd {home}; {server}"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 7
    assert (home / "asked").read_text().splitlines() == ["ended", "down"]
