import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from embedded_kubernetes import paths
from embedded_kubernetes.errors import BinariesError
from embedded_kubernetes.programs import binaries, compilation, downloads
from embedded_kubernetes.progress import Silent

ARCH = downloads.architecture()
ETCD_ARCHIVE = f"etcd-{binaries.ETCD_VERSION}-linux-{ARCH}.tar.gz"


def program(version: str) -> bytes:
    return f"#!/bin/sh\necho Kubernetes {version}\n".encode()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class Steps(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def step(self, text: str, fraction: float | None = None) -> None:
        self.texts.append(text)


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """A folder laid out as dl.k8s.io and as etcd's releases are."""
    root = tmp_path / "releases"
    folder = root / binaries.KUBERNETES_VERSION / "bin" / "linux" / ARCH
    folder.mkdir(parents=True)
    content = program(binaries.KUBERNETES_VERSION)
    for name in binaries.PROGRAMS[1:]:
        (folder / name).write_bytes(content)
        (folder / f"{name}.sha256").write_text(hashlib.sha256(content).hexdigest())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{ETCD_ARCHIVE.removesuffix('.tar.gz')}/etcd")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    etcd = root / binaries.ETCD_VERSION
    etcd.mkdir()
    (etcd / ETCD_ARCHIVE).write_bytes(packed.getvalue())
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    (etcd / "SHA256SUMS").write_text(f"{'0' * 64}  other.zip\n{digest}  {ETCD_ARCHIVE}\n")
    return root


@pytest.fixture
def served(releases: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(releases)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, nothing on the PATH, no internet and no toolchain."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv(paths.variable("RELEASES_URL"), "http://127.0.0.1:9")
    monkeypatch.setenv(paths.variable("ETCD_URL"), "http://127.0.0.1:9")
    monkeypatch.setattr(compilation, "TOOLCHAIN", tmp_path / "nowhere")
    (tmp_path / "path").mkdir()
    return tmp_path


@pytest.fixture
def online(bare: Path, served: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.variable("RELEASES_URL"), served)
    monkeypatch.setenv(paths.variable("ETCD_URL"), served)
    return bare


def install_on_path(folder: Path, version: str, *, without: str = "") -> None:
    for name in binaries.PROGRAMS:
        if name != without:
            (folder / "path" / name).write_bytes(program(version))
            (folder / "path" / name).chmod(0o755)


def whole_set(found: binaries.Binaries) -> bool:
    return all(os.access(found.folder / name, os.X_OK) for name in binaries.PROGRAMS)


def test_a_download_is_verified_and_installed_and_the_second_time_found(
    online: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps()
    found = binaries.ensure(steps)
    assert whole_set(found)
    assert found.kubernetes_version == binaries.KUBERNETES_VERSION
    assert any("kube-apiserver" in text for text in steps.texts)
    monkeypatch.setenv(paths.variable("RELEASES_URL"), "http://127.0.0.1:9")
    assert binaries.ensure(Silent()) == found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (
            root / binaries.KUBERNETES_VERSION / "bin/linux" / ARCH / "kubectl"
        ).write_bytes(b"evil"),
        lambda root: (root / binaries.ETCD_VERSION / ETCD_ARCHIVE).write_bytes(b"evil"),
    ],
    ids=["kubectl", "etcd"],
)
def test_a_wrong_sum_is_refused_and_leaves_nothing(
    online: Path, releases: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(releases)
    with pytest.raises(BinariesError) as raised:
        binaries.ensure(Silent())
    assert hashlib.sha256(b"evil").hexdigest() in raised.value.found
    assert binaries.cached() is None
    left = [path.name for path in paths.cache_dir().rglob("*") if path.is_file()]
    assert left == [".lock"]


def test_a_file_without_published_sum_is_refused(online: Path, releases: Path) -> None:
    (releases / binaries.ETCD_VERSION / "SHA256SUMS").write_text("")
    with pytest.raises(BinariesError) as raised:
        binaries.ensure(Silent())
    assert "aucune somme" in raised.value.found


def test_a_download_of_another_version_is_refused(online: Path, releases: Path) -> None:
    folder = releases / binaries.KUBERNETES_VERSION / "bin" / "linux" / ARCH
    content = program("v1.34.2")
    (folder / "kube-apiserver").write_bytes(content)
    (folder / "kube-apiserver.sha256").write_text(hashlib.sha256(content).hexdigest())
    with pytest.raises(BinariesError) as raised:
        binaries.ensure(Silent())
    assert "v1.34.2" in raised.value.found


def test_a_truncated_download_is_refused(online: Path, releases: Path) -> None:
    target = releases / binaries.KUBERNETES_VERSION / "bin" / "linux" / ARCH / "kube-scheduler"
    target.write_bytes(target.read_bytes()[:10])
    with pytest.raises(BinariesError):
        binaries.ensure(Silent())
    assert binaries.cached() is None


def test_programs_of_the_same_minor_on_the_path_are_taken(bare: Path) -> None:
    version = binaries.minor(binaries.KUBERNETES_VERSION) + ".9"
    install_on_path(bare, version)
    found = binaries.ensure(Silent())
    assert whole_set(found)
    assert found.kubernetes_version == version


def test_programs_of_another_minor_on_the_path_are_not(bare: Path) -> None:
    install_on_path(bare, "v1.34.2")
    with pytest.raises(BinariesError) as raised:
        binaries.ensure(Silent())
    assert "v1.34.2" in raised.value.found


def test_an_incomplete_path_names_what_is_missing(bare: Path) -> None:
    install_on_path(bare, binaries.KUBERNETES_VERSION, without="kube-scheduler")
    with pytest.raises(BinariesError) as raised:
        binaries.ensure(Silent())
    assert "il manque kube-scheduler" in raised.value.found


def test_when_nothing_works_every_way_says_why(bare: Path) -> None:
    with pytest.raises(BinariesError) as raised:
        binaries.ensure(Silent())
    for word in ("PATH", "Téléchargement", "127.0.0.1:9", "Compilation", "go.mod"):
        assert word in raised.value.found
    assert not list(paths.cache_dir().glob("scratch*"))


def test_what_a_killed_command_left_is_deleted(online: Path) -> None:
    left = paths.cache_dir() / "scratch-old"
    left.mkdir()
    (left / "partial").write_bytes(b"x")
    binaries.ensure(Silent())
    assert not left.exists()


def test_a_cache_with_a_hole_is_filled_again(online: Path) -> None:
    found = binaries.ensure(Silent())
    (found.folder / "etcd").unlink()
    assert binaries.cached() is None
    assert whole_set(binaries.ensure(Silent()))


def test_two_at_once_download_once(online: Path) -> None:
    steps = [Steps(), Steps()]
    threads = [threading.Thread(target=binaries.ensure, args=(each,)) for each in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    downloads_seen = [any("Téléchargement de" in text for text in each.texts) for each in steps]
    assert sorted(downloads_seen) == [False, True]


def test_a_server_that_says_nothing_is_given_up(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setattr(downloads, "_FIRST_ANSWER_S", 0.2)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        monkeypatch.setenv(
            paths.variable("RELEASES_URL"), f"http://127.0.0.1:{deaf.getsockname()[1]}"
        )
        with pytest.raises(BinariesError) as raised:
            binaries.ensure(Silent())
    assert "Téléchargement" in raised.value.found


def test_the_toolchain_pins_what_is_asked_for() -> None:
    module = (compilation.TOOLCHAIN / "go.mod").read_text()
    assert f"k8s.io/kubernetes {binaries.KUBERNETES_VERSION} " in module
    assert f"go.etcd.io/etcd/server/v3 {binaries.ETCD_VERSION} " in module
    for name in binaries.PROGRAMS[1:]:
        assert f"k8s.io/kubernetes/cmd/{name}\n" in module


def test_the_go_that_is_needed_is_read_from_the_module() -> None:
    assert compilation.needed_go("module x\n\ngo 1.26.2\n") == (1, 26, 2)


def test_linker_flags_tell_the_programs_their_version() -> None:
    flags = compilation.linker_flags("v1.37.4")
    assert "component-base/version.gitVersion=v1.37.4" in flags
    assert "gitMinor=37" in flags


def test_the_compilers_collector_rests_only_where_memory_is_there() -> None:
    assert compilation.compiler_memory(16 * 2**30, 2)["GOGC"] == "off"
    assert compilation.compiler_memory(2 * 2**30, 2) == {}


def test_an_unknown_architecture_is_told() -> None:
    with pytest.raises(downloads.WayFailedError, match="riscv64"):
        downloads.architecture("riscv64")
