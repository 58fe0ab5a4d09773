"""Images of pods: policies, waiting messages, events, identities; with a registry on loopback."""

import asyncio
import base64
import json
import platform
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from image_files import digest, entry, image, tar
from registry_server import RegistryServer, serving

from embedded_kubernetes.node.images.library import build
from embedded_kubernetes.node.images.store import Store
from embedded_kubernetes.node.pods import pulls
from embedded_kubernetes.node.pods.pulls import Puller, StartError
from embedded_kubernetes.node.registration import image_list

SHOP = image(tar(entry("bin/run", b"#!", mode=0o755)), Cmd=["/bin/run"])


class Pod:
    """A pod that asks for images, and the events that it gets."""

    def __init__(self, puller: Puller, name: str = "a", *secrets: str) -> None:
        self.events: list[tuple[str, str]] = []
        self._puller = puller
        self._pod = {
            "metadata": {"uid": name, "namespace": "shop"},
            "spec": {"imagePullSecrets": [{"name": secret} for secret in secrets]},
        }

    async def image(self, reference: str, policy: str = "IfNotPresent"):
        return await self._puller.image(
            self._pod,
            reference,
            policy,
            lambda _, reason, message: self.events.append((reason, message)),
        )

    async def refused(self, reference: str, policy: str = "IfNotPresent") -> StartError:
        with pytest.raises(StartError) as raised:
            await self.image(reference, policy)
        return raised.value

    @property
    def reasons(self) -> list[str]:
        return [reason for reason, _ in self.events]


SECRETS: dict[str, dict] = {}


async def get_secret(namespace: str, name: str) -> dict | None:
    return SECRETS.get(name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


@pytest.fixture
async def puller(store: Store) -> AsyncIterator[Puller]:
    made = Puller(store, get_secret)
    yield made
    await made.close()


@pytest.fixture
async def registry() -> AsyncIterator[RegistryServer]:
    async with serving() as made:
        made.add("shop:1", SHOP)
        made.add("shop:latest", SHOP)
        yield made


async def test_an_image_is_pulled_once_and_used_as_the_policy_says(puller, registry) -> None:
    pod, name = Pod(puller), f"{registry.host}/shop:1"
    assert (await pod.refused(name, "Never")).reason == "ErrImageNeverPull"
    assert registry.seen == []
    pod.events.clear()
    pulled = await pod.image(name)
    assert pod.reasons == ["Pulling", "Pulled"]
    size = len(SHOP.config) + len(SHOP.layers[0])
    assert pod.events[1][1].startswith(f'Successfully pulled image "{name}" in ')
    assert pod.events[1][1].endswith(f"including waiting). Image size: {size} bytes.")
    assert pulled.status_id == f"{registry.host}/shop@{digest(SHOP.manifest)}"
    before = len(registry.seen)
    for policy in ("IfNotPresent", "Never"):
        pod.events.clear()
        await pod.image(name, policy)
        assert pod.events[0][1].startswith(f'Container image "{name}" already present on machine')
    assert len(registry.seen) == before
    pod.events.clear()
    await pod.image(name, "Always")
    assert pod.reasons == ["Pulling", "Pulled"] and len(registry.seen) == before + 1


async def test_what_the_cluster_has_built_is_in_no_registry(store, puller, tmp_path) -> None:
    (tmp_path / "Containerfile").write_text("FROM scratch\n")
    build(store.path, tmp_path, "vitrine:v1", {})
    pod = Pod(puller)
    assert (await pod.image("vitrine:v1", "Always")).reference == "vitrine:v1"
    assert (await pod.image("host/shell", "Always")).built_in
    assert pod.reasons == ["Pulled", "Pulled"]


async def test_a_version_that_this_machine_does_not_have_is_asked_of_no_registry(puller) -> None:
    pod = Pod(puller)
    refused = await pod.refused("host/python:2")
    assert refused.reason == "ErrImagePull" and refused.message.endswith(": not found")
    assert pod.reasons == ["Pulling", "Failed", "Advice", "Failed"]
    assert platform.python_version() in pod.events[2][1]
    assert (await pod.refused("host/python:2")).reason == "ImagePullBackOff"


async def test_a_failure_is_said_then_waited_out(puller, registry) -> None:
    pod, name = Pod(puller), f"{registry.host}/shop:2"
    words = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": {name}: not found'
    error = await pod.refused(name)
    assert (error.reason, error.message) == ("ErrImagePull", words)
    assert pod.reasons == ["Pulling", "Failed", "Advice", "Failed"]
    assert pod.events[1][1] == f'Failed to pull image "{name}": {words}'
    assert "host/shell" in pod.events[2][1]
    pod.events.clear()
    error = await pod.refused(name)
    assert error.reason == "ImagePullBackOff"
    assert error.message == f'Back-off pulling image "{name}": ErrImagePull: {words}'
    assert 9 < error.retry_s <= 10
    assert pod.events == [
        ("BackOff", f'Back-off pulling image "{name}"'),
        ("Failed", "Error: ImagePullBackOff"),
    ]
    other = Pod(puller, "b")
    assert (await other.refused(name)).reason == "ErrImagePull"
    puller.forget("a")
    registry.add("shop:2", SHOP)
    assert (await pod.image(name)).cmd == ("/bin/run",)


async def test_a_name_that_is_none(puller) -> None:
    error = await Pod(puller).refused("busyBox")
    assert error.reason == "InvalidImageName"
    assert error.message == (
        'Failed to apply default image tag "busyBox": couldn\'t parse image name "busyBox": '
        "invalid reference format: repository name (library/busyBox) must be lowercase"
    )


async def test_pods_wait_for_one_pull_and_the_last_one_to_leave_ends_it(puller, registry) -> None:
    name = f"{registry.host}/shop:1"
    registry.slow = asyncio.Event()
    first, second = Pod(puller, "a"), Pod(puller, "b")
    tasks = [asyncio.create_task(pod.image(name)) for pod in (first, second)]
    while not registry.seen:
        await asyncio.sleep(0)
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    registry.slow.set()
    assert (await tasks[1]).cmd == ("/bin/run",)
    assert registry.asked("/manifests/1") == 1
    assert second.reasons == ["Pulling", "Pulled"]
    registry.slow = asyncio.Event()
    alone = asyncio.create_task(first.image(name, "Always"))
    while registry.asked("/manifests/1") == 1:
        await asyncio.sleep(0)
    alone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alone
    registry.slow.set()
    await first.image(name, "Always")


async def test_identities_of_secrets(puller, registry, monkeypatch) -> None:
    registry.token_for = "ada:secret"
    name = f"{registry.host}/shop:1"
    auths = {"auths": {registry.host: {"username": "ada", "password": "secret"}}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode()}
    monkeypatch.setitem(SECRETS, "regcred", {"data": data})
    nobody = Pod(puller, "a", "missing")
    error = await nobody.refused(name)
    assert "pull access denied" in error.message
    assert nobody.events[0] == (
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (missing); attempting to pull the image may not succeed.",
    )
    known = Pod(puller, "b", "regcred")
    await known.image(name)
    assert known.reasons == ["Pulling", "Pulled"]


async def test_what_a_node_says_of_its_images(store, puller, registry, tmp_path) -> None:
    await Pod(puller).image(f"{registry.host}/shop:1")
    await Pod(puller).image(f"{registry.host}/shop")
    (entry_,) = image_list(store.all())
    repository = f"{registry.host}/shop"
    assert entry_ == {
        "names": [
            f"{repository}@{digest(SHOP.manifest)}",
            f"{repository}:1",
            f"{repository}:latest",
        ],
        "sizeBytes": len(SHOP.config) + len(SHOP.layers[0]),
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.0234, "23ms"), (1.2, "1.2s"), (61.5, "1m1.5s"), (3600, "1h0m0s")],
)
def test_durations_as_go_prints_them(seconds, text) -> None:
    assert pulls._duration(seconds) == text
