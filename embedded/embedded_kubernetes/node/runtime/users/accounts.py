"""Which ids a name, a number or an image's `USER` stand for: the image's own `/etc/passwd` and `/etc/group` say.

(source: `WithUser`, `WithAdditionalGIDs` of containerd's `pkg/oci/spec_opts.go`; `HOME` is runc's `setupUser`)

Pure, and loaded by the spawner: the files' texts are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypedDict

    class Wanted(TypedDict):
        """Who a container is to run as (plain data: it crosses a socket)."""

        user: str
        """Number or name, perhaps `:GROUP`; "" for root."""
        groups: list[int]
        """Further groups: the pod's `supplementalGroups` and `fsGroup`."""
        of_image: bool
        """Whether the groups that the image's `/etc/group` gives the user are his too."""


class AccountError(Exception):
    """A user or group that the image does not know; the text is containerd's."""


class Identity(NamedTuple):
    """Who a program runs as."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """All of them, the first is `gid`."""
    home: str


class _Account(NamedTuple):
    name: str
    uid: int
    gid: int
    home: str


def resolve(wanted: Wanted, passwd: str, group: str) -> Identity:
    """Return the ids and the home of who is wanted.

    Raises
    ------
    AccountError
        A name that the files do not have. A number need not be there: its group is then 0 and its home `/`.
    """
    user, colon, named_group = wanted["user"].partition(":")
    account = _account(user or "0", passwd)
    gid = _gid(named_group, group) if colon else account.gid
    of_image = _memberships(account.name, group) if wanted["of_image"] and account.name else ()
    groups = tuple(dict.fromkeys((gid, *of_image, *wanted["groups"])))
    return Identity(account.uid, gid, groups, account.home or "/")


def _account(user: str, passwd: str) -> _Account:
    for account in _accounts(passwd):
        if account.uid == int(user) if user.isdigit() else account.name == user:
            return account
    if not user.isdigit():
        raise AccountError("no users found")
    return _Account("", int(user), 0, "/")


def _gid(name: str, group: str) -> int:
    if name.isdigit():
        return int(name)
    for fields in _lines(group, 3):
        if fields[0] == name and fields[2].isdigit():
            return int(fields[2])
    raise AccountError("no groups found")


def _memberships(name: str, group: str) -> tuple[int, ...]:
    return tuple(
        int(fields[2])
        for fields in _lines(group, 4)
        if name in fields[3].split(",") and fields[2].isdigit()
    )


def _accounts(passwd: str) -> Iterator[_Account]:
    for fields in _lines(passwd, 6):
        if fields[2].isdigit() and fields[3].isdigit():
            yield _Account(fields[0], int(fields[2]), int(fields[3]), fields[5])


def _lines(text: str, least: int) -> Iterator[list[str]]:
    """Yield the fields of each line that has as many as it needs."""
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) >= least and not line.startswith("#"):
            yield fields
