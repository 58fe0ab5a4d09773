"""The course's own chart of Helm: its values are those that its templates ask for, and what Helm made of it is kept."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml

from k8s_helpers._paths import COURSE

CHART = COURSE / "notebooks" / "manifests" / "15_pour_aller_plus_loin" / "chart"
KEPT = COURSE / "notebooks" / "donnees" / "helm.txt"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))


def test_every_hole_has_a_value_and_every_value_a_hole() -> None:
    templates = "".join(path.read_text("utf-8") for path in (CHART / "templates").iterdir())
    assert set(re.findall(r"\.Values\.(\w+)", templates)) == set(VALUES)


def test_what_is_kept_tells_of_an_installation_and_of_the_way_back() -> None:
    kept = KEPT.read_text("utf-8")
    assert re.findall(r"^(\d) +\t(\w+)", kept, re.MULTILINE) == [
        ("1", "superseded"),
        ("2", "superseded"),
        ("3", "deployed"),
    ]
    assert kept.count("vitrine:") == 1
    assert f"vitrine:{VALUES['version']}" in kept  # rolled back to what the chart's own values say


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is no part of the course's machine")
def test_helm_makes_a_deployment_and_a_service_of_it() -> None:
    argv = ["helm", "template", "essai", str(CHART), "--set", "replicas=2", "--set", "version=v2"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    made = {item["kind"]: item for item in yaml.safe_load_all(done.stdout)}
    deployment = made["Deployment"]
    assert deployment["spec"]["replicas"] == 2
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "vitrine:v2"
    assert made["Service"]["spec"]["selector"] == {"app": "essai"}
