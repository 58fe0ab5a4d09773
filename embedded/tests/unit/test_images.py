"""Images of the embedded cluster: names, store, builds of files."""

import platform
import stat
import sys
from pathlib import Path

import pytest

from embedded_kubernetes import paths
from embedded_kubernetes.errors import ImageError
from embedded_kubernetes.node.images import bases
from embedded_kubernetes.node.images.library import build
from embedded_kubernetes.node.images.names import normalise
from embedded_kubernetes.node.images.store import ImageConfig, Store


@pytest.mark.parametrize(
    ("reference", "short"),
    [
        ("busybox", "busybox:latest"),
        ("docker.io/library/python:3.13-slim", "python:3.13-slim"),
        ("localhost/vitrine:v2", "vitrine:v2"),
        ("library/alpine", "alpine:latest"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("registry:5000/x", "registry:5000/x:latest"),
        ("team/app:1@sha256:abc", "team/app:1"),
    ],
)
def test_equal_references_have_one_short_form(reference, short):
    assert normalise(reference) == short


def context(folder: Path, text: str, files: dict[str, str] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Containerfile").write_text(text)
    for name, content in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def files(image: ImageConfig) -> dict[str, str]:
    return {
        path.relative_to(layer).as_posix(): path.read_text()
        for layer in image.layers
        for path in sorted(layer.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def test_built_in_images_are_named_for_what_they_are_and_answer_for_nothing_else(tmp_path):
    store = Store(tmp_path / "images")
    shell, python = store.get("docker.io/host/shell"), store.get("host/python")
    assert shell is not None and shell.cmd == ("sh",) and shell.built_in and shell.host_programs
    assert python is not None and python.cmd == ("python3",)
    assert python.env["PATH"].startswith("/.runtime/bin:")
    assert (python.layers[0] / ".runtime/bin/python").resolve().name.startswith("python3")
    assert python.labels[bases.BASE_NAME_LABEL] == f"host/python:{platform.python_version()}"
    for name in ("busybox", "python:3.13", "alpine", "registry.k8s.io/pause:3.10", "host/nginx"):
        assert store.get(name) is None, name
    assert "host/shell" in store.advice("busybox") and "image load" in store.advice("busybox")
    assert platform.python_version() in store.advice("host/python:2")


def test_a_version_of_a_built_in_image_is_the_machine_s_or_is_refused():
    major, minor, patch = platform.python_version_tuple()
    for version in ("latest", major, f"{major}.{minor}", f"{major}.{minor}.{patch}"):
        assert bases.find(f"host/python:{version}") is not None, version
    for version in (f"{major}.{minor}1", "2", f"{major}.{int(minor) + 1}"):
        assert bases.find(f"host/python:{version}") is None, version
    found, advice = bases.refusal("host/python:2")
    assert platform.python_version() in found and "« 2 »" in found
    assert f"host/python:{platform.python_version()}" in advice
    assert bases.find("host/shell:1") is None
    assert "n’a pas de version" in bases.refusal("host/shell:1")[0]
    assert "host/shell" in bases.refusal("host/nginx:latest")[1]


@pytest.mark.parametrize(
    ("release", "version"),
    [('IMPLEMENTOR="x"\nJAVA_VERSION="17.0.9"\n', "17.0.9"), ("", ""), (None, "")],
)
def test_java_says_its_version_in_its_home(tmp_path, monkeypatch, release, version):
    if release is not None:
        (tmp_path / "release").write_text(release)
    programs = bases.HostPrograms(Path(sys.executable), Path(sys.prefix), tmp_path, None)
    monkeypatch.setattr(bases, "host_programs", lambda: programs)
    bases.version.cache_clear()
    try:
        found = bases.find("host/java:17")
        assert (found is None) == (not version)
        assert bases.find("host/java:latest") is not None
        assert bases.names()[1] == "host/java" + (f":{version}" if version else "")
    finally:
        bases.version.cache_clear()


def test_build_copies_and_records(tmp_path):
    folder = context(
        tmp_path / "app",
        "ARG BASE_IMAGE=host/python\nFROM ${BASE_IMAGE}\nARG VERSION=v1\nENV VERSION=${VERSION} A='b c'\n"
        "WORKDIR /app\nCOPY src/ ./\nCOPY run.sh lib/\nCOPY --chmod=755 run.sh /bin/run\nEXPOSE 8080/tcp 9090\n"
        "LABEL x=y\nUSER 1000\nSTOPSIGNAL SIGQUIT\nVOLUME /data\nHEALTHCHECK CMD true\n"
        'ENTRYPOINT ["python3", "main.py"]\nCMD --port 1\n',
        {
            "src/main.py": "print()",
            "src/deep/x": "x",
            "src/__pycache__/x": "stale",
            "run.sh": "run",
        },
    )
    image = build(tmp_path / "images", folder, "app:v2", {"VERSION": "v2"})
    assert files(image) == {
        "app/main.py": "print()",
        "app/deep/x": "x",
        "app/lib/run.sh": "run",
        "usr/bin/run" if Path("/bin").is_symlink() else "bin/run": "run",
    }
    assert (image.layers[-1] / "data").is_dir()
    assert image.env["VERSION"] == "v2" and image.env["A"] == "b c"
    assert image.entrypoint == ("python3", "main.py")
    assert image.cmd == ("/bin/sh", "-c", "--port 1")
    assert (image.working_dir, image.exposed_ports) == ("/app", (8080, 9090))
    assert (image.user, image.stop_signal, image.volumes) == ("1000", "SIGQUIT", ("/data",))
    base = f"host/python:{platform.python_version()}"
    assert image.labels == {"x": "y", bases.BASE_NAME_LABEL: base}
    assert image.host_programs and not image.built_in and image.size_bytes > 0


def test_build_does_nothing_when_the_content_is_there(tmp_path):
    folder = context(tmp_path / "app", "FROM host/shell\nCOPY a /a\n", {"a": "1"})
    store = tmp_path / "images"
    first = build(store, folder, "app:1", {})
    mark = first.layers[-1] / "mark"
    mark.write_text("still here")
    again = build(store, folder, "app:2", {})
    assert again.image_id == first.image_id and mark.exists()
    (folder / "a").write_text("2")
    changed = build(store, folder, "app:2", {})
    assert changed.image_id != first.image_id
    assert files(changed)["a"] == "2"
    assert Store(store).get("app:1").image_id == first.image_id


def test_a_running_node_sees_new_images(tmp_path):
    store = Store(tmp_path / "images")
    assert store.get("app:1") is None and store.all() == ()
    build(store.path, context(tmp_path / "app", "FROM scratch\n"), "app:1", {})
    assert store.get("docker.io/library/app:1") is not None
    assert [image.reference for image in store.all()] == ["app:1"]
    assert "app:1" in store.advice("app:2")


def test_stages_and_what_run_leaves(tmp_path):
    folder = context(
        tmp_path / "app",
        "FROM host/shell AS build\nARG WHO\nWORKDIR /src\nCOPY in.txt .\n"
        "RUN tr a-z A-Z < in.txt > out.txt && echo $WHO >> out.txt && mkdir -p made/empty\n"
        'RUN ["/bin/sh", "-c", "test -s out.txt && chmod 700 out.txt"]\n'
        "FROM host/shell AS unused\nRUN false\n"
        "FROM host/shell\nCOPY --from=build /src/out.txt /src/made /app/\nCOPY --from=0 /src/in.txt /in\n",
        {"in.txt": "hello\n"},
    )
    image = build(tmp_path / "images", folder, "app:1", {"WHO": "me"})
    assert files(image) == {"app/out.txt": "HELLO\nme\n", "in": "hello\n"}
    assert stat.S_IMODE((image.layers[-1] / "app/out.txt").stat().st_mode) == 0o700
    assert (image.layers[-1] / "app/empty").is_dir()


def test_from_a_built_image_keeps_its_files_and_settings(tmp_path):
    store = tmp_path / "images"
    build(
        store,
        context(
            tmp_path / "a",
            'FROM host/python\nCOPY x /x\nENV A=1\nENTRYPOINT ["a"]\nCMD ["b"]\n',
            {"x": "1"},
        ),
        "a:1",
        {},
    )
    image = build(store, context(tmp_path / "b", "FROM a:1\nENV B=2\n"), "b:1", {})
    assert files(image) == {"x": "1"}
    assert (image.env["A"], image.env["B"]) == ("1", "2")
    assert (image.entrypoint, image.cmd) == (("a",), ("b",))
    assert image.labels[bases.BASE_NAME_LABEL] == "a:1"


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("FROM nginx:1.27\n", 1, "nginx:1.27"),
        ("FROM host/python:2\n", 1, "pas « 2 »"),
        ("FROM host/shell\nCOPY missing /x\n", 2, "« missing » n’existe pas"),
        ("FROM host/shell\nCOPY ../outside /x\n", 2, "n’existe pas"),
        ("FROM host/shell\nCOPY --from=nowhere a /x\n", 2, "« nowhere » n’est pas ici"),
        ("FROM host/shell\nADD https://example.org/x /x\n", 2, "https://example.org/x"),
        ("FROM host/shell\nEXPOSE http\n", 2, "port « http »"),
        ("FROM host/shell\nSTOPSIGNAL SIGNOPE\n", 2, "SIGNOPE"),
        ("FROM host/shell\nRUN --mount=type=secret,id=x true\n", 2, "type=secret"),
        ("FROM host/shell\n\nRUN echo broken >&2; exit 3\n", 3, "code de sortie 3 : broken"),
    ],
)
def test_a_build_that_fails_says_where_and_leaves_nothing(tmp_path, text, line, found):
    store = tmp_path / "images"
    (tmp_path / "outside").write_text("x")
    with pytest.raises(ImageError) as raised:
        build(store, context(tmp_path / "app", text), "app:1", {})
    assert f"ligne {line}" in raised.value.tried
    assert found in raised.value.found
    assert Store(store).get("app:1") is None
    assert not list(store.glob("building-*"))


def test_no_containerfile(tmp_path):
    with pytest.raises(ImageError, match="pas de Containerfile ni de Dockerfile"):
        build(tmp_path / "images", tmp_path, "app:1", {})


def test_ignored_files_are_not_copied_and_do_not_count(tmp_path):
    folder = context(
        tmp_path / "app", "FROM host/shell\nCOPY . /app/\n", {"a": "1", "target/big": "2"}
    )
    (folder / ".dockerignore").write_text("target\n")
    first = build(tmp_path / "images", folder, "app:1", {})
    assert "app/a" in files(first) and "app/target/big" not in files(first)
    (folder / "target/big").write_text("3")
    assert build(tmp_path / "images", folder, "app:1", {}).image_id == first.image_id


def test_symbolic_links_stay_links(tmp_path):
    folder = context(tmp_path / "app", "FROM host/shell\nCOPY src /app\n", {"src/a": "1"})
    (folder / "src/b").symlink_to("a")
    image = build(tmp_path / "images", folder, "app:1", {})
    assert (image.layers[-1] / "app/b").readlink() == Path("a")


@pytest.mark.parametrize("isolation", ["", "prefix"])
def test_run_makes_folders_in_the_image_alone(tmp_path, monkeypatch, isolation):
    monkeypatch.setenv(paths.variable("ISOLATION"), isolation)
    text = (
        "FROM host/shell\nRUN mkdir /k8s-t /usr/local/share/k8s-t && echo 1 > /k8s-t/a"
        " && echo 2 > /usr/local/share/k8s-t/b\n"
    )
    image = build(tmp_path / "images", context(tmp_path / "app", text), "app:1", {})
    assert files(image) == {"k8s-t/a": "1\n", "usr/local/share/k8s-t/b": "2\n"}
    assert not Path("/k8s-t").exists() and not Path("/usr/local/share/k8s-t").exists()


def test_a_disk_that_refuses_is_told(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    folder = context(tmp_path / "app", "FROM host/shell\n")
    with pytest.raises(ImageError, match="disque"):
        build(tmp_path / "file" / "images", folder, "app:1", {})
