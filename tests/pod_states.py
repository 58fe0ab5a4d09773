"""What tests of pods ask about them: a container's status, a condition, a phase, what events told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from live import eventually

SHELL_IMAGE = "host/shell"

Found = dict[str, Any]


def sh(name: str, script: str, **more: Any) -> Found:
    """Return a container that runs a line of shell."""
    return {"name": name, "image": SHELL_IMAGE, "command": ["sh", "-c", script], **more}


def status_of(found: Found, name: str) -> Found:
    """Return the status of one container of a pod, of any kind; an empty one before the node has written it."""
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for one in found["status"].get(kind) or ():
            if one["name"] == name:
                status: Found = one
                return status
    return {"state": {}, "lastState": {}, "restartCount": 0, "ready": False, "started": False}


def waiting_for(found: Found, name: str) -> str:
    """Return why a container waits, "" where it does not."""
    reason: str = (status_of(found, name)["state"].get("waiting") or {}).get("reason", "")
    return reason


def condition(found: Found, kind: str) -> Found:
    """Return a condition of a pod."""
    one: Found = next(one for one in found["status"]["conditions"] if one["type"] == kind)
    return one


def instant(written: str) -> datetime:
    """Return an instant as the API writes it, in whole seconds."""
    return datetime.fromisoformat(written)


def phase(*wanted: str) -> Callable[[Found], bool]:
    """Return the test that a pod has one of some phases."""
    return lambda found: found["status"].get("phase") in wanted


def told(namespace: Any, name: str) -> list[tuple[str, str]]:
    """Return (reason, message) of the events of an object."""
    return [
        (one["reason"], one["message"])
        for one in namespace.events()
        if one["involvedObject"]["name"] == name
    ]


def eventually_told(namespace: Any, name: str, reason: str, words: str = "") -> str:
    """Return the message of an event with a reason and some words, once there is one."""

    def found() -> str | None:
        said = (text for one, text in told(namespace, name) if one == reason)
        return next((text for text in said if words in text), None)

    message: str = eventually(found)
    return message
