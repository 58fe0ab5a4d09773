"""Codes of the attempts of the lab `wordpress`."""

from enum import StrEnum


class Who(StrEnum):
    """Who uses the blog."""

    AUTHOR = "author"
    READERS = "readers"


class What(StrEnum):
    """What is done with it, and after what."""

    INSTALL = "install"
    PUBLISH = "publish"
    THREE_SITES = "read-from-three-sites"
    NEW_SITES = "read-after-new-sites"
    NEW_DATABASE = "read-after-new-database"


class Outcome(StrEnum):
    """What comes of it."""

    DONE = "done"
    READ = "read"
    LOST = "lost"
