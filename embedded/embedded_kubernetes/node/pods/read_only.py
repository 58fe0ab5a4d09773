"""What a manifest asks to be read-only, where containers have no mount namespace that could make it so.

A root that must not be written is refused: the container does not start, and its event says why. Volumes that are
mounted read-only are common, and most programs that ask for it never write: an event says that nothing holds them to
it.
"""

from __future__ import annotations

from ..environment.env import ConfigError
from ..records import Object
from ..storage.payloads import is_payload

_REASON = "this node has no mount namespaces for its containers"


def refuse_root(container: Object) -> None:
    """Raise `ConfigError` where a container wants its own files to be read-only."""
    if (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        raise ConfigError(f"readOnlyRootFilesystem cannot be enforced: {_REASON}")


def not_enforced(pod: Object, container: Object) -> str:
    """Return the message about the volumes that a container wants read-only; "" where there is none.

    What comes from the API (ConfigMap, Secret, token) is left out: the node writes it again.
    """
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    names = sorted(
        {
            mount["name"]
            for mount in container.get("volumeMounts") or ()
            if _wants_it(mount, volumes.get(mount["name"], {}))
        }
    )
    words = ", ".join(f'"{name}"' for name in names)
    return f"readOnly of volume {words} is not enforced: {_REASON}" if names else ""


def _wants_it(mount: Object, volume: Object) -> bool:
    """Return whether a mount is to be read-only: an image always is."""
    return "image" in volume or (bool(mount.get("readOnly")) and not is_payload(volume))
