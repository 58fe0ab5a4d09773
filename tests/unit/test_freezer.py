"""Frozen groups of one container are thawed, and no others."""

from pathlib import Path

from k8s_helpers.providers.kind.engine import thaw

NODE = "0f" * 32


def group(root: Path, path: str, state: str) -> Path:
    folder = root / path
    folder.mkdir(parents=True)
    (folder / "freezer.state").write_text(f"{state}\n")
    return folder / "freezer.state"


def test_only_the_frozen_groups_of_the_container_are_thawed(tmp_path: Path) -> None:
    below = group(tmp_path, f"docker/{NODE}/kubelet/pod", "FROZEN")
    calm = group(tmp_path, f"docker/{NODE}/system", "THAWED")
    other = group(tmp_path, f"docker/{'ab' * 32}", "FROZEN")
    assert thaw(NODE, tmp_path) == 1
    assert below.read_text() == "THAWED"
    assert calm.read_text() == "THAWED\n"
    assert other.read_text() == "FROZEN\n"


def test_a_machine_without_the_old_freezer_has_nothing_to_thaw(tmp_path: Path) -> None:
    assert thaw(NODE, tmp_path / "absent") == 0
