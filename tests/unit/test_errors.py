"""Whatever goes wrong on purpose is a `K8sHelpersError`, the embedded cluster's errors too."""

import os
from functools import partial
from pathlib import Path

import pytest

from embedded_kubernetes import preflight
from embedded_kubernetes.control import launch, lifecycle
from embedded_kubernetes.errors import ExplainedError
from embedded_kubernetes.lock import try_lock
from embedded_kubernetes.processes import run
from embedded_kubernetes.programs import binaries, compilation
from k8s_helpers import K8sHelpersError, _errors, _paths
from k8s_helpers._progress import Silent
from k8s_helpers.providers.embedded import EmbeddedProvider


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path / "home"))
    return tmp_path


def _kinds(root: type[ExplainedError]) -> set[type[ExplainedError]]:
    return {root}.union(*(_kinds(kind) for kind in root.__subclasses__()))


def test_every_error_of_the_distribution_is_one_of_the_course() -> None:
    assert all(issubclass(kind, K8sHelpersError) for kind in _kinds(ExplainedError))


def test_every_public_kind_is_a_course_error_or_a_warning() -> None:
    kinds = [getattr(_errors, name) for name in _errors.__all__]
    assert all(issubclass(kind, (K8sHelpersError, Warning)) for kind in kinds)


def test_missing_programs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setenv("K8S_HELPERS_RELEASES_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("K8S_HELPERS_ETCD_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(compilation, "TOOLCHAIN", home / "nowhere")
    with pytest.raises(K8sHelpersError) as raised:
        binaries.ensure(Silent())
    assert isinstance(raised.value, _errors.BinariesError)
    assert str(_paths.cache_dir()) in raised.value.advice


def test_a_busy_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "BUSY_TIMEOUT_S", 0.0)
    lock = try_lock(lifecycle.directory_of("cours"))
    assert lock is not None
    try:
        with pytest.raises(K8sHelpersError) as raised:
            EmbeddedProvider("cours").up(Silent())
    finally:
        os.close(lock)
    assert isinstance(raised.value, _errors.BusyError)


def test_elsewhere_than_on_linux_kind_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "require_linux", partial(preflight.require_linux, "darwin"))
    with pytest.raises(_errors.PlatformError) as raised:
        EmbeddedProvider("cours").up(Silent())
    assert "darwin" in raised.value.found
    assert "k8s-lab up --provider kind" in raised.value.advice


def test_a_component_that_dies() -> None:
    failure = {"component": "etcd", "what": "code 1", "log": "/l", "tail": "panic"}
    error = launch.component_error("cours", failure)
    assert isinstance(error, K8sHelpersError) and isinstance(error, _errors.ComponentError)
    assert "« k8s-lab down --name cours », puis « k8s-lab up --name cours »" in error.advice


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(K8sHelpersError) as raised:
        run(["no-such-program"], timeout_s=1)
    assert "k8s-lab doctor" in raised.value.advice
