"""What doctor says on Windows' Linux."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers.cli.checks import wsl

# Releases as WSL 1, WSL 2 and Debian write them.
ONE, TWO, NONE = "4.4.0-19041-Microsoft", "6.6.87.2-microsoft-standard-WSL2", "6.1.0-18-amd64"
MOUNTS = (
    "/dev/sdd / ext4 rw,relatime 0 0",
    "C:\\134 /mnt/c 9p rw,noatime,aname=drvfs;path=C:\\ 0 0",
    "tmpfs /mnt/wsl tmpfs rw 0 0",
)


def machine(
    release: str = TWO,
    first_process: str = "systemd",
    unified_cgroups: bool = True,
    on_windows: tuple[Path, ...] = (),
) -> wsl.Wsl:
    return wsl.Wsl(release, first_process, unified_cgroups, on_windows)


@pytest.mark.parametrize(("release", "version"), [(ONE, 1), (TWO, 2), (NONE, None), ("", None)])
def test_the_version_is_read_from_the_kernel_s_name(release: str, version: int | None) -> None:
    assert machine(release).version == version


def test_elsewhere_nothing_is_said() -> None:
    assert wsl.judge(machine(NONE, "init", False)) is None


def test_wsl_1_stops_every_cluster_and_the_command_is_given() -> None:
    said = wsl.judge(machine(ONE, "init", False))
    assert said is not None and said.state == "missing" and set(said.stops) == {"embedded", "kind"}
    assert "--set-version" in said.advice


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (machine(first_process="init(Ubuntu)"), ["systemd"]),
        (machine(unified_cgroups=False), ["cgroup v2"]),
        (machine(first_process="init", unified_cgroups=False), ["systemd", "cgroup v2"]),
        (machine(on_windows=(Path("/mnt/c/cours"),)), ["/mnt/c/cours", "lent"]),
    ],
)
def test_what_wsl_2_lacks_is_named_and_stops_nothing(here: wsl.Wsl, words: list[str]) -> None:
    said = wsl.judge(here)
    assert said is not None and said.state == "limited" and said.stops == () and said.advice
    assert all(word in said.found for word in words)


def test_wsl_2_with_all_of_it_is_fine() -> None:
    said = wsl.judge(machine())
    assert said is not None and said.state == "ok"


@pytest.mark.parametrize(
    ("folder", "windows"),
    [("/mnt/c/Users/zoe/cours", True), ("/home/zoe/cours", False), ("/mnt/wsl/cours", False)],
)
def test_a_windows_disk_is_known_by_its_file_system(folder: str, windows: bool) -> None:
    assert wsl.is_on_windows(Path(folder), MOUNTS) is windows


def test_this_machine_can_be_looked_at() -> None:
    assert isinstance(wsl.look(), wsl.Wsl)
