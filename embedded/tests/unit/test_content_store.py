"""The store of pulled and loaded images, and archives that are loaded into it."""

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from image_files import (
    digest,
    docker_files,
    entry,
    image,
    index,
    oci_files,
    tar,
    write_tar,
)

from embedded_kubernetes.errors import ImageError
from embedded_kubernetes.node.images.content import archives, oci
from embedded_kubernetes.node.images.content.content_store import ContentStore, Ownership, hold
from embedded_kubernetes.node.images.content.references import parse
from embedded_kubernetes.progress import Silent

BASE = tar(entry("etc/name", b"base"))
TOP = tar(entry("bin/run", b"#!", mode=0o755))
SHOP = image(
    BASE,
    TOP,
    Entrypoint=["/bin/run"],
    Cmd=["--port", "1"],
    Env=["PATH=/bin", "A=b=c"],
    User="1000:1000",
    WorkingDir="/work",
    StopSignal="SIGQUIT",
    Volumes={"/data": {}},
    ExposedPorts={"8080/tcp": {}, "53/udp": {}},
    Labels={"x": "y"},
)
OTHER = image(BASE, tar(entry("other", b"1")))


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "images", Ownership("single"))


async def load(store: ContentStore, path: Path) -> list[str]:
    return [name.full for name in await archives.load(store, path, Silent())]


def layers_of(store: ContentStore) -> set[str]:
    return {path.name for path in (store.folder / "layers-single").iterdir()}


async def test_an_image_of_docker_save(store: ContentStore, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "x.tar", docker_files(SHOP, "shop:1", "team/shop:v1"))
    assert await load(store, path) == ["docker.io/library/shop:1", "docker.io/team/shop:v1"]
    kept = ContentStore(store.folder, Ownership("single")).image(parse("shop:1"))
    assert kept is not None and not kept.host_programs
    assert (kept.layers[0] / "etc/name").read_text() == "base"
    assert [layer.name for layer in kept.layers] == [digest(layer)[7:] for layer in (BASE, TOP)]
    assert (kept.entrypoint, kept.cmd) == (("/bin/run",), ("--port", "1"))
    assert kept.env == {"PATH": "/bin", "A": "b=c"}
    assert (kept.user, kept.working_dir, kept.stop_signal) == ("1000:1000", "/work", "SIGQUIT")
    assert (kept.volumes, kept.exposed_ports, kept.labels) == (("/data",), (53, 8080), {"x": "y"})
    assert (kept.image_id, kept.repo_digests) == (digest(SHOP.config), ())
    assert kept.size_bytes == len(SHOP.config) + len(BASE) + len(TOP)


async def test_layers_that_are_alike_may_be_links(store: ContentStore, tmp_path: Path) -> None:
    files = docker_files(SHOP, "shop:1")
    names = [f"{digest(archive)[7:]}" for archive in SHOP.archives]
    with (tmp_path / "x.tar").open("wb") as file:
        del files[f"{names[0]}/layer.tar"]
        files["real.tar"] = BASE
        parts = [entry(name, data) for name, data in files.items()]
        parts.append(entry(f"{names[0]}/layer.tar", type=b"2", linkname="../real.tar"))
        file.write(tar(*parts))
    await load(store, tmp_path / "x.tar")
    assert store.image(parse("shop:1")) is not None


@pytest.mark.parametrize("form", ["tar", "folder", "gzip"])
async def test_an_oci_layout(store: ContentStore, tmp_path: Path, form: str) -> None:
    files = oci_files(SHOP, {"org.opencontainers.image.ref.name": "1.35"})
    path = write_tar(tmp_path / "shop.tar", files)
    if form == "gzip":
        path = tmp_path / "shop.tar.gz"
        path.write_bytes(gzip.compress((tmp_path / "shop.tar").read_bytes()))
    if form == "folder":
        path = tmp_path / "shop"
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    assert await load(store, path) == ["docker.io/library/shop:1.35"]
    kept = store.image(parse("shop:1.35"))
    assert kept is not None
    assert kept.size_bytes == len(SHOP.config) + sum(map(len, SHOP.layers))


async def test_both_forms_in_one_archive_and_several_images(store, tmp_path: Path) -> None:
    """`docker save` since its version 25."""
    files = oci_files(SHOP, {"io.containerd.image.name": "docker.io/library/shop:1"})
    other = oci_files(OTHER, {})
    both = json.loads(files["index.json"])
    both["manifests"] += json.loads(other["index.json"])["manifests"]
    listed = [
        {
            "Config": f"blobs/sha256/{digest(made.config)[7:]}",
            "RepoTags": [tag],
            "Layers": [f"blobs/sha256/{digest(layer)[7:]}" for layer in made.layers],
        }
        for made, tag in ((SHOP, "shop:1"), (OTHER, "other:2"))
    ]
    files |= other | {
        "index.json": json.dumps(both).encode(),
        "manifest.json": json.dumps(listed).encode(),
    }
    names = await load(store, write_tar(tmp_path / "x.tar", files))
    assert names == ["docker.io/library/shop:1", "docker.io/library/other:2"]
    assert store.image(parse("other:2")).layers[0] == store.image(parse("shop:1")).layers[0]


async def test_an_index_gives_the_image_of_this_machine(store, tmp_path: Path) -> None:
    foreign = image(BASE, architecture="sparc")
    listed = index(
        (foreign.manifest, {"os": "linux", "architecture": "sparc"}),
        (SHOP.manifest, {"os": "linux", "architecture": oci.machine()[0]}),
        (OTHER.manifest, {"os": "unknown", "architecture": "unknown"}),
    )
    files = oci_files(SHOP, {"io.containerd.image.name": "shop:1"})
    plain = json.loads(files["index.json"])
    plain["manifests"][0] |= {
        "digest": digest(listed),
        "size": len(listed),
        "mediaType": oci.OCI_INDEX,
    }
    files |= {
        "index.json": json.dumps(plain).encode(),
        f"blobs/sha256/{digest(listed)[7:]}": listed,
    }
    await load(store, write_tar(tmp_path / "x.tar", files))
    assert store.image(parse("shop:1")).image_id == digest(SHOP.config)
    assert store.names()["docker.io/library/shop:1"].digest == digest(listed)


def damaged() -> dict[str, bytes]:
    files = docker_files(SHOP, "shop:1")
    name = next(name for name, data in files.items() if data == TOP)
    return {**files, name: TOP[:600] + b"?" + TOP[601:]}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"notes.txt": b"hello"}, "ce n’est pas une image : ni manifest.json"),
        ({"manifest.json": b"[]"}, "aucune image dedans"),
        ({"manifest.json": b"<html>"}, "autre chose"),
        ({"manifest.json": b'{"name": "a web site"}'}, "autre chose"),
        ({"index.json": b"[1]"}, "not a JSON object"),
        ({"index.json": b"{}"}, "aucune image dedans"),
        (
            {"manifest.json": b'[{"Config": "x.json", "Layers": [], "RepoTags": []}]'},
            "il y manque x.json",
        ),
        (docker_files(SHOP, "Shop:1"), "nom d’image impossible"),
        (docker_files(image(BASE, architecture="sparc"), "x"), "pas d’image pour cette machine"),
        (oci_files(image(BASE, architecture="sparc"), {}), "pas d’image pour cette machine"),
        (damaged(), "unexpected commit digest"),
    ],
)
async def test_an_archive_that_is_no_image(store, tmp_path: Path, files, found) -> None:
    with pytest.raises(ImageError) as raised:
        await load(store, write_tar(tmp_path / "x.tar", files))
    assert found in raised.value.found
    assert "x.tar" in raised.value.tried
    assert store.names() == {}
    assert not list(store.folder.glob("load-*"))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"PK\3\4 a zip file", "ni archive tar, ni dossier OCI"),
        (b"", "ni archive tar, ni dossier OCI"),
        (gzip.compress(b"text"), "ni archive tar, ni dossier OCI"),
        (gzip.compress(os.urandom(10_000))[:5000], "archive compressée abîmée"),
    ],
)
async def test_a_file_that_is_no_archive(store, tmp_path: Path, content, found) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ImageError, match=found):
        await load(store, tmp_path / "x")
    with pytest.raises(ImageError, match="rien de ce nom"):
        await load(store, tmp_path / "nothing")


async def test_a_removed_image_takes_with_it_what_nothing_else_needs(store, tmp_path) -> None:
    await load(store, write_tar(tmp_path / "x.tar", docker_files(SHOP, "shop:1", "shop:2")))
    await load(store, write_tar(tmp_path / "y.tar", docker_files(OTHER, "other:1")))
    base, top, other = (digest(layer)[7:] for layer in (BASE, TOP, OTHER.archives[1]))
    assert layers_of(store) == {base, top, other}
    assert store.remove(parse("shop:1")) and not store.remove(parse("shop:1"))
    assert layers_of(store) == {base, top, other}
    assert store.remove(parse("shop:2"))
    assert layers_of(store) == {base, other}
    assert store.image(parse("other:1")) is not None
    store.remove(parse("other:1"))
    assert layers_of(store) == set() and not list((store.folder / "blobs/sha256").iterdir())


async def test_layers_in_use_stay_until_the_next_removal(store, tmp_path) -> None:
    await load(store, write_tar(tmp_path / "x.tar", docker_files(SHOP, "shop:1")))
    kept = store.image(parse("shop:1"))
    with store.used(kept.layers[:1]):
        store.remove(parse("shop:1"))
        assert layers_of(store) == {digest(BASE)[7:]}
    store.sweep()
    assert layers_of(store) == set()
    with pytest.raises(FileNotFoundError):
        hold(kept.layers[0])


async def test_a_removal_waits_for_what_is_being_added(store, tmp_path) -> None:
    await load(store, write_tar(tmp_path / "x.tar", docker_files(SHOP, "shop:1")))
    async with store.adding():
        store.remove(parse("shop:1"))
        assert layers_of(store) == {digest(layer)[7:] for layer in (BASE, TOP)}
    assert layers_of(store) == set()


async def test_a_layer_that_disappeared_is_not_an_image(store, tmp_path) -> None:
    path = write_tar(tmp_path / "x.tar", docker_files(SHOP, "shop:1"))
    await load(store, path)
    store.remove_folder(store.layer(digest(TOP)))
    assert store.image(parse("shop:1")) is None
    await load(store, path)
    assert store.image(parse("shop:1")) is not None


_LOADER = """
import asyncio, sys
from pathlib import Path
from embedded_kubernetes.node.images.content import archives
from embedded_kubernetes.node.images.content.content_store import ContentStore, Ownership
from embedded_kubernetes.progress import Silent
store = ContentStore(Path(sys.argv[1]), Ownership("single"))
print("begins", flush=True)
asyncio.run(archives.load(store, Path(sys.argv[2]), Silent()))
"""


async def test_a_killed_load_leaves_nothing_half_done(store, tmp_path) -> None:
    big = image(tar(entry("a", bytes(30_000_000))))
    path = write_tar(tmp_path / "x.tar", docker_files(big, "big:1"))
    argv = [sys.executable, "-c", _LOADER, str(store.folder), str(path)]
    draft = store.draft(digest(big.archives[0]))
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not draft.exists() and process.poll() is None:
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert store.image(parse("big:1")) is None
    await asyncio.wait_for(load(store, path), 20)
    assert store.image(parse("big:1")) is not None
    assert not draft.exists()


async def test_two_that_load_the_same_layers_share_the_work(store, tmp_path) -> None:
    path = write_tar(tmp_path / "x.tar", docker_files(SHOP, "shop:1"))
    argv = [sys.executable, "-c", _LOADER, str(store.folder), str(path)]
    others = [subprocess.Popen(argv, stdout=subprocess.DEVNULL) for _ in range(2)]
    await load(store, path)
    assert [await asyncio.to_thread(other.wait) for other in others] == [0, 0]
    assert store.image(parse("shop:1")) is not None
