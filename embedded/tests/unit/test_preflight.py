import errno
from pathlib import Path

import pytest

from embedded_kubernetes import preflight
from embedded_kubernetes.errors import PlatformError, ResourceError


def test_only_linux() -> None:
    preflight.require_linux("linux")
    with pytest.raises(PlatformError) as raised:
        preflight.require_linux("darwin")
    assert "darwin" in raised.value.found
    assert "Linux" in raised.value.advice


def test_too_little_memory_is_told_with_both_figures() -> None:
    preflight.require_memory(700 * 1024**2, 600 * 1024**2)
    with pytest.raises(ResourceError) as raised:
        preflight.require_memory(500 * 1024**2, 600 * 1024**2)
    assert "500" in raised.value.found
    assert "600" in raised.value.found


def test_too_little_disk_names_the_folder(tmp_path: Path) -> None:
    preflight.require_disk(tmp_path, 1)
    with pytest.raises(ResourceError) as raised:
        preflight.require_disk(tmp_path, 2**70)
    assert str(tmp_path) in raised.value.tried


def test_a_disk_that_fills_up_is_a_resource_error_and_other_errors_stay() -> None:
    with pytest.raises(ResourceError), preflight.disk_errors("Écrire"):
        raise OSError(errno.ENOSPC, "No space left on device", "/x")
    with pytest.raises(PermissionError), preflight.disk_errors("Écrire"):
        raise PermissionError(errno.EACCES, "Permission denied", "/x")


def test_available_memory_is_read_from_meminfo() -> None:
    text = "MemTotal: 100 kB\nMemAvailable:      42 kB\n"
    assert preflight.available_in_meminfo(text) == 42 * 1024


@pytest.mark.parametrize(
    ("limit", "usage", "cache"),
    [
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_a_cgroups_limit_counts_without_its_file_cache(
    tmp_path: Path, limit: str, usage: str, cache: str
) -> None:
    (tmp_path / limit).write_text("1000\n")
    (tmp_path / usage).write_text("900\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\n{cache} 300\n")
    assert preflight.left_in_cgroup(tmp_path) == 400


def test_a_cgroup_without_limit_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900\n")
    assert preflight.left_in_cgroup(tmp_path) is None


def test_this_machine_has_memory() -> None:
    assert preflight.available_memory_bytes() > 0
