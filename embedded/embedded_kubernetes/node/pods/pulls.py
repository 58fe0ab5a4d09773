"""Images before a container starts: there, pulled, refused, or pulled again later.

Pods that want one image at the same time wait for one pull. What a cluster has built itself, and what stands for
this machine's programs, is in no registry: it is there whatever the policy says.
(source: `pkg/kubelet/images/image_manager.go`)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from ..api import ApiError
from ..cri import ImageConfig
from ..images import bases
from ..images.content.credentials import Credentials, keyring, matching
from ..images.content.oci import PullError
from ..images.content.references import Reference, ReferenceFormatError, parse
from ..images.names import normalise
from ..images.store import Store
from ..records import Object
from ..rules.restarts import BackOff

Tell = Callable[[str, str, str], None]
"""Records an event: type, reason, message."""

GetSecret = Callable[[str, str], Awaitable[Object | None]]
"""Returns a Secret of a namespace, None where there is none."""

Key = tuple[str, tuple[Credentials, ...]]


@dataclass
class StartError(Exception):
    """A container cannot be started now.

    Attributes
    ----------
    reason, message : str
        `state.waiting`.
    retry_s : float
        When to try again at the latest.
    """

    reason: str
    message: str
    retry_s: float


_RETRY_S = 10.0
"""How often a kubelet comes back to a pod whose container it could not make."""

_FULL_DISK = (
    "il n’y a plus de place pour cette image sur le disque de cette machine ; rien n’en est resté à moitié : "
    "libérez de la place, le cluster essaie de nouveau de lui-même"
)


@dataclass
class _Job:
    """One pull under way, and how many wait for it."""

    task: asyncio.Task[ImageConfig]
    began_s: float
    waiting: int = 0


class Puller:
    """Finds images for containers, and pulls those that are not here.

    Parameters
    ----------
    store : Store
        The cluster's images.
    get_secret : callable
        For `imagePullSecrets`.
    """

    def __init__(self, store: Store, get_secret: GetSecret) -> None:
        self._store = store
        self._get_secret = get_secret
        self._back_off = BackOff()
        self._errors: dict[str, str] = {}
        self._jobs: dict[Key, _Job] = {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End the pulls under way; nothing half done is left of them."""
        tasks = [job.task for job in self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def image(self, pod: Object, name: str, policy: str, tell: Tell) -> ImageConfig:
        """Return the image of a container, pulled where the policy asks for it.

        Parameters
        ----------
        pod : dict
            Whose container it is.
        name, policy : str
            `image` and `imagePullPolicy`.
        tell : callable
            Records the events.

        Raises
        ------
        StartError
            It cannot be had now.
        """
        try:
            reference = parse(name)
        except ReferenceFormatError as error:
            words = f'couldn\'t parse image name "{name}": {error}'
            message = f'Failed to apply default image tag "{name}": {words}'
            tell("Warning", "InspectFailed", message)
            raise self._failure(tell, "InvalidImageName", message, _RETRY_S) from None
        image = self._store.get(name)
        if image is not None and (policy != "Always" or self._is_own(image, reference)):
            words = "already present on machine and can be accessed by the pod"
            tell("Normal", "Pulled", f'Container image "{name}" {words}')
            return image
        if policy == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            tell("Warning", "ErrImageNeverPull", message)
            raise self._failure(tell, "ErrImageNeverPull", message, _RETRY_S)
        self._hold_back(pod, name, tell)
        if bases.is_host(
            normalise(name)
        ):  # no registry is asked for what only this machine can have
            words = f'failed to pull and unpack image "{reference.full}": not found'
            tell("Normal", "Pulling", f'Pulling image "{name}"')
            raise self._refusal(pod, name, PullError(words), tell)
        return await self._pulled(pod, name, reference, tell)

    def _is_own(self, image: ImageConfig, reference: Reference) -> bool:
        """Return whether an image is the cluster's own, which no registry has."""
        shared = self._store.shared.image(reference)
        return shared is None or shared.image_id != image.image_id

    def _hold_back(self, pod: Object, name: str, tell: Tell) -> None:
        """Raise `StartError` where the last failure is not long enough ago."""
        key, now_s = _key(pod, name), time.monotonic()
        wait_s = self._back_off.remaining_s(key, self._back_off.updated_s(key), now_s)
        if wait_s > 0:
            message = f'Back-off pulling image "{name}"'
            tell("Normal", "BackOff", message)
            message = f"{message}: ErrImagePull: {self._errors[key]}"
            raise self._failure(tell, "ImagePullBackOff", message, wait_s)

    async def _pulled(
        self, pod: Object, name: str, reference: Reference, tell: Tell
    ) -> ImageConfig:
        credentials = matching(keyring(await self._secrets(pod, tell)), reference)
        tell("Normal", "Pulling", f'Pulling image "{name}"')
        asked_s = time.monotonic()
        key = (reference.full, credentials)
        job = self._jobs.get(key) or self._begin(key, reference)
        job.waiting += 1
        try:
            image = await asyncio.shield(job.task)
        except PullError as error:
            raise self._refusal(pod, name, error, tell) from None
        finally:
            job.waiting -= 1
            if not job.waiting and not job.task.done():
                del self._jobs[key]  # who comes now begins anew
                job.task.cancel()
        now_s = time.monotonic()
        tell(
            "Normal",
            "Pulled",
            f'Successfully pulled image "{name}" in {_duration(now_s - job.began_s)} '
            f"({_duration(now_s - asked_s)} including waiting). Image size: {image.size_bytes} bytes.",
        )
        return image

    def _begin(self, key: Key, reference: Reference) -> _Job:
        # Most clusters never pull: what speaks with registries is loaded by the first one that does.
        from ..images.content import pulling, registry

        if self._session is None:
            self._session = registry.session()
        work = pulling.pull(self._store.shared, self._session, reference, key[1])
        task = asyncio.create_task(work, name=f"pull of {reference.full}")
        job = self._jobs[key] = _Job(task, time.monotonic())

        def forget(done: asyncio.Task[ImageConfig]) -> None:
            if self._jobs.get(key) is job:
                del self._jobs[key]
            if not done.cancelled():
                done.exception()  # whoever waited for it has had it

        task.add_done_callback(forget)
        return job

    async def _secrets(self, pod: Object, tell: Tell) -> list[Object]:
        """Return the Secrets that the pod names (a ServiceAccount's are in its spec since it was admitted)."""
        secrets: list[Object] = []
        missing: list[str] = []
        for entry in pod["spec"].get("imagePullSecrets") or ():
            try:
                secret = await self._get_secret(pod["metadata"]["namespace"], entry["name"])
            except ApiError:
                secret = None
            if secret is None:
                missing.append(entry["name"])
            else:
                secrets.append(secret)
        if missing:
            tell(
                "Warning",
                "FailedToRetrieveImagePullSecret",
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); "
                "attempting to pull the image may not succeed.",
            )
        return secrets

    def _refusal(self, pod: Object, name: str, error: PullError, tell: Tell) -> StartError:
        key, words, now_s = _key(pod, name), str(error), time.monotonic()
        first = key not in self._errors
        self._errors[key] = words
        tell("Warning", "Failed", f'Failed to pull image "{name}": {words}')
        if first:
            tell("Warning", "Advice", _FULL_DISK if error.number else self._store.advice(name))
        self._back_off.next(key, now_s, now_s)
        # Soon after the first error the kubelet looks again, and only then says that it waits.
        return self._failure(tell, "ErrImagePull", words, 1.0)

    def _failure(self, tell: Tell, reason: str, message: str, retry_s: float) -> StartError:
        tell("Warning", "Failed", f"Error: {reason}")
        return StartError(reason, message, retry_s)

    def forget(self, uid: str) -> None:
        """Drop what is known of a pod that is gone."""
        self._back_off.forget(uid)
        for key in [key for key in self._errors if key.startswith(uid)]:
            del self._errors[key]


def _key(pod: Object, name: str) -> str:
    return f"{pod['metadata']['uid']}_{name}"


def _duration(seconds: float) -> str:
    """Return a time as Go prints one that is cut to milliseconds: `0s`, `523ms`, `1.2s`, `1m2.5s`."""
    milliseconds = int(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
