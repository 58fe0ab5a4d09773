"""Codes of the attempts of the lab `namespaces`."""

from enum import StrEnum

from ...measure.codes import NO_ANSWER


class Who(StrEnum):
    """What of the first team's tries to cross."""

    POD = "team-a-pod"
    ACCOUNT = "team-a-account"
    QUOTA = "team-a-quota"


class What(StrEnum):
    """What is reached for."""

    NAME = "name"
    NAME_IN_B = "name-in-team-b"
    ADDRESS_IN_B = "pod-address-in-team-b"
    PODS_OF_A = "list-pods-of-team-a"
    PODS_OF_B = "list-pods-of-team-b"
    POD_IN_A = "create-pod-in-team-a"
    POD_IN_B = "create-pod-in-team-b"


class Outcome(StrEnum):
    """What comes of it, where that is neither a version of the program nor an HTTP status."""

    NONE = NO_ANSWER
    LISTED = "listed"
    CREATED = "created"
