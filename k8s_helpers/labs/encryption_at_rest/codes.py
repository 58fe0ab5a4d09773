"""Codes of the attempts of the lab `encryption_at_rest`."""

from enum import StrEnum

from ...measure.codes import Read as Outcome

__all__ = ["Outcome", "What", "Who"]


class Who(StrEnum):
    """When somebody looks: nobody acts in these attempts but the administrator, at four moments."""

    NO_KEY = "without-encryption"
    KEY_ADDED = "key-added"
    REWRITTEN = "rewritten-with-key"
    KEY_REMOVED = "rewritten-and-key-removed"


class What(StrEnum):
    """By which way."""

    GET = "get-secret"
    ETCD = "look-into-etcd"
