"""Pulls from a registry on loopback: what works, and every way in which a registry does not."""

import asyncio
import base64
import gzip
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import zstandard
from image_files import Image, digest, entry, image, index, tar
from registry_server import RegistryServer, serving

from embedded_kubernetes.node.images.content import endpoints, oci
from embedded_kubernetes.node.images.content.content_store import ContentStore, Ownership
from embedded_kubernetes.node.images.content.credentials import Credentials, keyring, matching
from embedded_kubernetes.node.images.content.oci import PullError
from embedded_kubernetes.node.images.content.pulling import pull
from embedded_kubernetes.node.images.content.references import parse
from embedded_kubernetes.node.images.content.registry import Patience, session

BASE = tar(entry("etc/name", os.urandom(400_000)))
SHOP = image(BASE, tar(entry("bin/run", b"#!", mode=0o755)), Cmd=["/bin/run"])
FOREIGN = image(BASE, architecture="sparc")


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "images", Ownership("single"))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with session() as made:
        yield made


@pytest.fixture
async def registry() -> AsyncIterator[RegistryServer]:
    async with serving() as made:
        made.add("shop:1", SHOP)
        yield made


def leftovers(store: ContentStore) -> list[str]:
    """Return what a failed pull has left: whole layers may stay."""
    drafts = [path.name for path in (store.folder / "layers-single").glob(".*")]
    return [*store.names(), *(path.name for path in store.folder.glob("blobs/*/*")), *drafts]


async def test_a_pull_brings_the_image_and_the_next_one_asks_only_whether_it_changed(
    store, http, registry
) -> None:
    seen = []
    reference = parse(f"{registry.host}/shop:1")
    pulled = await pull(store, http, reference, on_bytes=lambda *pair: seen.append(pair))
    assert pulled.reference == f"{registry.host}/shop:1"
    assert pulled.cmd == ("/bin/run",)
    assert (pulled.layers[0] / "etc/name").stat().st_size == 400_000
    assert pulled.repo_digests == (f"{registry.host}/shop@{digest(SHOP.manifest)}",)
    total = sum(map(len, SHOP.layers))
    assert seen[-1] == (total, total) and seen == sorted(seen)
    before = len(registry.seen)
    await pull(store, http, reference)
    assert [method for method, _, _ in registry.seen[before:]] == ["HEAD"]
    by_digest = parse(f"{registry.host}/shop@{digest(SHOP.manifest)}")
    assert store.image(by_digest).image_id == pulled.image_id
    changed = image(BASE, Cmd=["/bin/other"])
    registry.add("shop:1", changed)
    assert (await pull(store, http, reference)).cmd == ("/bin/other",)
    assert registry.asked(digest(SHOP.layers[0])) == 1


async def test_an_index_a_digest_and_a_registry_without_head(store, http, registry) -> None:
    listed = index(
        (FOREIGN.manifest, {"os": "linux", "architecture": "sparc"}),
        (SHOP.manifest, {"os": "linux", "architecture": oci.machine()[0]}),
    )
    registry.add("other:1", FOREIGN)
    name = registry.add_manifest("shop:many", listed, oci.OCI_INDEX)
    registry.heads = False
    pulled = await pull(store, http, parse(f"{registry.host}/shop:many"))
    assert pulled.repo_digests == (f"{registry.host}/shop@{name}",)
    by_digest = await pull(store, http, parse(f"{registry.host}/shop@{name}"))
    assert by_digest.image_id == digest(SHOP.config)


async def test_zstd_layers(store, http, registry) -> None:
    layers = (zstandard.compress(BASE),)
    made = Image(image(BASE).config, layers, (BASE,), f"{oci.OCI_LAYER}+zstd")
    registry.add("z:1", made)
    pulled = await pull(store, http, parse(f"{registry.host}/z:1"))
    assert (pulled.layers[0] / "etc/name").exists()


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
async def test_a_cut_download_goes_on_where_it_was(store, http, registry, ranges) -> None:
    registry.ranges = ranges
    # The first answer to a blob is the configuration's.
    registry.cuts = [10_000_000, 100_000, 100_000, 0]
    await pull(store, http, parse(f"{registry.host}/shop:1"))
    assert registry.asked(digest(SHOP.layers[0])) >= 2


async def test_a_registry_that_cuts_for_ever_is_left(store, http, registry, monkeypatch) -> None:
    monkeypatch.setattr("embedded_kubernetes.node.images.content.registry._CUT_PAUSE_S", 0)
    registry.cuts = [10_000_000, *[1000] * 100]
    with pytest.raises(PullError, match="failed to copy: httpReadSeeker: failed open"):
        await pull(store, http, parse(f"{registry.host}/shop:1"))
    assert leftovers(store) == []


async def refusal(store, http, reference: str, **options) -> str:
    with pytest.raises(PullError) as raised:
        await asyncio.wait_for(pull(store, http, parse(reference), **options), 10)
    assert leftovers(store) == []
    words = str(raised.value)
    prefix = f'failed to pull and unpack image "{parse(reference).full}": '
    assert words.startswith(prefix)
    return words.removeprefix(prefix)


def unresolved(reference: str) -> str:
    return f'failed to resolve reference "{reference}": '


async def test_no_such_image(store, http, registry) -> None:
    name = f"{registry.host}/shop:2"
    assert await refusal(store, http, name) == f"{unresolved(name)}{name}: not found"


async def test_a_registry_that_is_away(store, http) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        words = await refusal(store, http, f"{host}/x:1")
    assert words == (
        f'{unresolved(f"{host}/x:1")}failed to do request: Head "http://{host}/v2/x/manifests/1": '
        f"dial tcp {host}: connect: connection refused"
    )


async def test_a_host_that_does_not_exist(store, http, monkeypatch) -> None:
    async def none(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv(endpoints.variable(), "")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", none)
    words = await refusal(store, http, "registry.invalid/x:1")
    assert "dial tcp: lookup registry.invalid: no such host" in words


async def test_a_slow_registry_is_left_in_time(store, http, registry) -> None:
    registry.slow = asyncio.Event()
    words = await refusal(store, http, f"{registry.host}/shop:1", patience=Patience(1.0, 0.2))
    assert words.endswith("net/http: timeout awaiting response headers")


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (403, "", "403 Forbidden"),
        (500, "", "500 Internal Server Error"),
        (429, "slow down", "429 Too Many Requests"),
    ],
)
async def test_a_registry_that_refuses(store, http, registry, status, message, words) -> None:
    registry.refuses = {"/manifests/": (status, message)}
    name = f"{registry.host}/shop:1"
    said = await refusal(store, http, name)
    url = f"http://{registry.host}/v2/shop/manifests/1"
    assert said == f"{unresolved(name)}unexpected status from HEAD request to {url}: {words}"
    registry.refuses = {"/blobs/": (status, message)}
    said = await refusal(store, http, name)
    assert words in said
    if message:
        assert said.endswith(f"{words} - Server message: toomanyrequests: {message}")


async def test_a_blob_that_is_missing(store, http, registry) -> None:
    del registry.blobs[digest(SHOP.layers[1])]
    said = await refusal(store, http, f"{registry.host}/shop:1")
    assert said == (
        f"could not fetch content descriptor {digest(SHOP.layers[1])} ({SHOP.media_type}) from remote: not found"
    )


async def test_a_wrong_digest(store, http, registry) -> None:
    other = gzip.compress(tar(entry("x", b"1")), mtime=0)
    wanted = SHOP.layers[1]
    registry.blobs[digest(wanted)] = other.ljust(len(wanted), b"\0")[: len(wanted)]
    said = await refusal(store, http, f"{registry.host}/shop:1")
    assert f'failed commit on ref "layer-{digest(wanted)}": unexpected commit digest' in said
    registry.blobs[digest(SHOP.config)] = b"{}"
    said = await refusal(store, http, f"{registry.host}/shop:1")
    assert f'failed commit on ref "config-{digest(SHOP.config)}": unexpected commit digest' in said


async def test_a_broken_layer_and_one_that_leads_outside(store, http, registry) -> None:
    text = b"<html>" * 1000
    broken = Image(image(text).config, (gzip.compress(text),), (text,))
    registry.add("broken:1", broken)
    said = await refusal(store, http, f"{registry.host}/broken:1")
    assert "failed to extract layer" in said and "archive/tar: invalid tar header" in said
    registry.add("outside:1", image(tar(entry("../../outside", b"1"))))
    said = await refusal(store, http, f"{registry.host}/outside:1")
    assert said.endswith('archive/tar: insecure file path: "../../outside"')
    assert not (store.folder.parent / "outside").exists()


async def test_a_blob_without_end(store, http, registry) -> None:
    small, endless = SHOP.layers[1], bytes(3_000_000)
    registry.blobs[digest(small)] = endless
    said = await refusal(store, http, f"{registry.host}/shop:1")
    assert "unexpected commit size" in said


async def test_another_architecture(store, http, registry) -> None:
    registry.add("foreign:1", FOREIGN)
    said = await refusal(store, http, f"{registry.host}/foreign:1")
    assert said == f"no match for platform in manifest {digest(FOREIGN.manifest)}: not found"
    listed = index((FOREIGN.manifest, {"os": "linux", "architecture": "sparc"}))
    registry.add_manifest("many:1", listed, oci.OCI_INDEX)
    said = await refusal(store, http, f"{registry.host}/many:1")
    assert said == f"no match for platform in manifest {digest(listed)}: not found"
    assert registry.asked(digest(FOREIGN.layers[0])) == 0


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"<html>", "Expecting value"),
        (b"[]", "not a JSON object"),
        (b"{}", "unexpected media type"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "no longer supported since containerd v2.1"),
        (b'{"schemaVersion": 2, "layers": []}', "manifest without config or layers"),
        (
            b'{"config": {"digest": "sha256:../../x", "size": 2}, "layers": []}',
            "unsupported digest 'sha256:../../x'",
        ),
        (
            json.dumps(
                {
                    "config": {
                        "mediaType": "application/vnd.cncf.helm.config.v1+json",
                        "digest": "x",
                    },
                    "layers": [],
                }
            ).encode(),
            "unexpected media type application/vnd.cncf.helm.config.v1+json",
        ),
    ],
)
async def test_what_is_no_image(store, http, registry, document, words) -> None:
    registry.add_manifest("x:1", document, "text/plain")
    assert words in await refusal(store, http, f"{registry.host}/x:1")


async def test_a_token_and_who_asks_for_it(store, http, registry) -> None:
    registry.token_for = "ada:secret"
    name = f"{registry.host}/shop:1"
    said = await refusal(store, http, name)
    assert said == (
        f"{unresolved(name)}pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed"
    )
    said = await refusal(store, http, name, credentials=[Credentials("ada", "wrong")])
    assert "failed to authorize: failed to fetch oauth token: unexpected status from GET" in said
    assert "401 Unauthorized" in said
    known = [Credentials("ada", "wrong"), Credentials("ada", "secret")]
    await pull(store, http, parse(name), known)
    assert store.image(parse(name)) is not None
    assert registry.asked("/token") == 4


async def test_basic_identities(store, http, registry) -> None:
    registry.basic_for = "ada:secret"
    name = f"{registry.host}/shop:1"
    assert "no basic auth credentials" in await refusal(store, http, name)
    said = await refusal(store, http, name, credentials=[Credentials("ada", "wrong")])
    assert said.endswith("401 Unauthorized")
    assert (await pull(store, http, parse(name), [Credentials("ada", "secret")])).cmd == (
        "/bin/run",
    )


async def test_a_redirection_does_not_take_the_identity_along(store, http, registry) -> None:
    registry.token_for = "ada:secret"
    async with serving() as elsewhere:
        elsewhere.blobs = registry.blobs
        registry.redirect = f"http://{elsewhere.host}"
        await pull(store, http, parse(f"{registry.host}/shop:1"), [Credentials("ada", "secret")])
        assert elsewhere.seen and all(not sent for _, _, sent in elsewhere.seen)


async def test_where_a_redirection_leads_nobody_asks_for_the_identity(
    store, http, registry
) -> None:
    registry.token_for = "ada:secret"
    async with serving() as elsewhere:
        elsewhere.token_for = "ada:secret"
        registry.redirect = f"http://{elsewhere.host}"
        known = [Credentials("ada", "secret")]
        words = await refusal(store, http, f"{registry.host}/shop:1", credentials=known)
        assert "401 Unauthorized" in words
        assert {
            (path, sent) for _, path, sent in elsewhere.seen if sent or path == "/token"
        } == set()


async def test_a_store_that_cannot_be_written_is_said(store, http, registry) -> None:
    store.layer(digest(BASE)).parent.rmdir()
    store.layer(digest(BASE)).parent.write_text("")
    words = await refusal(store, http, f"{registry.host}/shop:1")
    assert words.endswith("Not a directory")


async def test_a_mirror_stands_in_the_place_of_a_registry(
    store, http, registry, monkeypatch
) -> None:
    monkeypatch.setenv(
        endpoints.variable(), f"docker.io=http://{registry.host},*=http://{registry.host}/all"
    )
    registry.add("library/shop:1", SHOP)
    registry.add("all/team/shop:1", SHOP)
    pulled = await pull(store, http, parse("shop:1"))
    assert pulled.repo_digests == (f"docker.io/library/shop@{digest(SHOP.manifest)}",)
    await pull(store, http, parse("ghcr.io/team/shop:1"))
    assert registry.asked("/v2/all/team/shop/manifests/1") == 1
    await pull(store, http, parse(f"{registry.host}/shop:1"))
    assert registry.asked("/v2/shop/manifests/1") == 1


async def test_two_stores_and_two_pulls_of_one_layer_share_the_work(store, http, registry) -> None:
    registry.add("other:1", image(BASE, tar(entry("x", b"1"))))
    same = ContentStore(store.folder, Ownership("single"))
    await asyncio.gather(
        *(
            pull(each, http, parse(f"{registry.host}/{name}"))
            for each in (store, same)
            for name in ("shop:1", "other:1")
        )
    )
    assert registry.asked(digest(SHOP.layers[0])) == 1


async def test_a_pull_that_is_cancelled_leaves_nothing(store, http, registry) -> None:
    arrived = asyncio.Event()
    registry.cuts = [10_000_000, 100_000]
    task = asyncio.create_task(
        pull(store, http, parse(f"{registry.host}/shop:1"), on_bytes=lambda *_: arrived.set())
    )
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert leftovers(store) == []


async def test_a_full_disk_is_said(store, http, registry) -> None:
    full = ContentStore(store.folder, Ownership("single", ("prlimit", "--fsize=65536")))
    with pytest.raises(PullError, match="failed to extract layer") as raised:
        await pull(full, http, parse(f"{registry.host}/shop:1"))
    assert raised.value.number
    assert leftovers(store) == []


def secret(kind: str, entries: dict) -> dict:
    plain = {"auths": entries} if kind == ".dockerconfigjson" else entries
    return {"data": {kind: base64.b64encode(json.dumps(plain).encode()).decode()}}


@pytest.mark.parametrize(
    ("place", "reference", "matches"),
    [
        ("https://index.docker.io/v1/", "busybox", True),
        ("docker.io", "busybox", True),
        ("ghcr.io", "ghcr.io/team/app", True),
        ("ghcr.io/team", "ghcr.io/team/app", True),
        ("ghcr.io/other", "ghcr.io/team/app", False),
        ("*.example.org", "a.example.org/x", True),
        ("*.example.org", "a.b.example.org/x", False),
        ("registry:5000", "registry:5000/x", True),
        ("registry", "registry:5000/x", False),
        ("http://registry:5000/v2/", "registry:5000/x", True),
    ],
)
def test_identities_by_registry(place, reference, matches) -> None:
    auth = base64.b64encode(b"ada:se:cret").decode()
    for kind in (".dockerconfigjson", ".dockercfg"):
        known = keyring([secret(kind, {place: {"auth": auth}, "bad": {"auth": "?"}, "worse": 1})])
        found = matching(known, parse(reference))
        assert found == ((Credentials("ada", "se:cret"),) if matches else ())


def test_the_most_specific_identity_comes_first_and_broken_secrets_are_passed_over() -> None:
    entries = {
        "ghcr.io": {"username": "a", "password": "1"},
        "ghcr.io/team": {"username": "b", "password": "2"},
    }
    known = keyring(
        [{"data": {".dockerconfigjson": "?"}}, {}, secret(".dockerconfigjson", entries)]
    )
    found = matching(known, parse("ghcr.io/team/app"))
    assert [identity.username for identity in found] == ["b", "a"]


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("", False),
        ("*", True),
        ("example.org", True),
        (".example.org", True),
        ("example.org:443", True),
        ("example.org:80", False),
        ("ample.org", False),
    ],
)
def test_proxies_of_the_environment(monkeypatch, no_proxy, direct) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert endpoints.proxy("https://r.example.org/v2/") is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", f"10.0.0.0/8,{no_proxy}")
    expected = None if direct else "http://proxy.example:3128"
    assert endpoints.proxy("https://r.example.org/v2/") == expected
    assert endpoints.proxy("https://10.1.2.3:5000/v2/") is None
    assert endpoints.proxy("http://127.0.0.1:5000/v2/") is None
    assert endpoints.proxy("http://localhost:5000/v2/") is None
