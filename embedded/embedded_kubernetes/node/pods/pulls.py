"""Images before a container starts: there, refused, or "pulled" again later.

This cluster downloads nothing: an image that it has not built is one that it cannot pull.
(source: `pkg/kubelet/images/image_manager.go`)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..cri import ImageConfig
from ..rules.restarts import BackOff

Tell = Callable[[str, str, str], None]
"""Records an event: type, reason, message."""

_NAME = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


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


class Puller:
    """Finds images for containers.

    Parameters
    ----------
    find : callable
        Returns the image of a reference, or None.
    describe : callable
        Says what this cluster can run.
    """

    def __init__(
        self, find: Callable[[str], ImageConfig | None], describe: Callable[[], str]
    ) -> None:
        self._find = find
        self._describe = describe
        self._back_off = BackOff()
        self._errors: dict[str, str] = {}

    def image(self, uid: str, reference: str, policy: str, now_s: float, tell: Tell) -> ImageConfig:
        """Return the image of a container.

        Parameters
        ----------
        uid : str
            The pod's.
        reference, policy : str
            `image` and `imagePullPolicy`.
        now_s : float
            Now, on any one clock.
        tell : callable
            Records the events.

        Raises
        ------
        StartError
            There is none.
        """
        if _NAME.fullmatch(reference) is None:
            words = f'couldn\'t parse image name "{reference}": invalid reference format'
            if reference != reference.lower():
                words += ": repository name must be lowercase"
            message = f'Failed to apply default image tag "{reference}": {words}'
            tell("Warning", "InspectFailed", message)
            raise self._failure(tell, "InvalidImageName", message, _RETRY_S)
        image = self._find(reference)
        key = f"{uid}_{reference}"
        if image is not None:
            words = "already present on machine and can be accessed by the pod"
            tell("Normal", "Pulled", f'Container image "{reference}" {words}')
            return image
        if policy == "Never":
            message = f'Container image "{reference}" is not present with pull policy of Never'
            tell("Warning", "ErrImageNeverPull", message)
            raise self._failure(tell, "ErrImageNeverPull", message, _RETRY_S)
        wait_s = self._back_off.remaining_s(key, self._back_off.updated_s(key), now_s)
        if wait_s > 0:
            message = f'Back-off pulling image "{reference}"'
            tell("Normal", "BackOff", message)
            message = f"{message}: ErrImagePull: {self._errors[key]}"
            raise self._failure(tell, "ImagePullBackOff", message, wait_s)
        return self._refuse(key, reference, now_s, tell)

    def _refuse(self, key: str, reference: str, now_s: float, tell: Tell) -> ImageConfig:
        tell("Normal", "Pulling", f'Pulling image "{reference}"')
        words = f'failed to pull and unpack image "{reference}": {self._describe()}'
        self._errors[key] = words
        tell("Warning", "Failed", f'Failed to pull image "{reference}": {words}')
        self._back_off.next(key, now_s, now_s)
        # Soon after the first error the kubelet looks again, and only then says that it waits.
        raise self._failure(tell, "ErrImagePull", words, 1.0)

    def _failure(self, tell: Tell, reason: str, message: str, retry_s: float) -> StartError:
        tell("Warning", "Failed", f"Error: {reason}")
        return StartError(reason, message, retry_s)

    def forget(self, uid: str) -> None:
        """Drop what is known of a pod that is gone."""
        self._back_off.forget(uid)
        for key in [key for key in self._errors if key.startswith(uid)]:
            del self._errors[key]
