"""Codes of the attempts of the lab `discovery`."""

from enum import StrEnum

from ...measure.codes import NO_ANSWER


class Who(StrEnum):
    """The pod that looks for the Service."""

    BEFORE = "pod-created-before"
    AFTER = "pod-created-after"
    NO_LINKS = "pod-without-service-links"


class What(StrEnum):
    """By what it looks."""

    VARIABLE = "variable"
    NAME = "name"
    FULL_NAME = "full-name"


class Outcome(StrEnum):
    """What it finds, where that is not a version of the program."""

    PRESENT = "present"
    ABSENT = "absent"
    NONE = NO_ANSWER
