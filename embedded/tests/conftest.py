"""What all tests share: a home folder of each test's own, and no registry."""

from pathlib import Path

import pytest
from open_files import nothing_left_open  # noqa: F401 (a fixture of every test)

from embedded_kubernetes import paths


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test keeps what it keeps."""
    folder = tmp_path / "home"
    monkeypatch.setenv(paths.variable("HOME"), str(folder))
    monkeypatch.setenv(paths.variable("CACHE"), "")
    monkeypatch.setenv(paths.variable("REGISTRY_MIRRORS"), "*=http://127.0.0.1:1")
    return folder
