"""Codes of attempts that several labs make: what is in a recording, without what makes one."""

from enum import StrEnum

NO_ANSWER = "no-answer"
"""No program of the course answers a request."""


class Read(StrEnum):
    """What came of an attempt to read a Secret, in this course's words or as the code of HTTP."""

    READ = "read"
    PLAINTEXT = "plaintext"
    ENCRYPTED = "encrypted"
    FORBIDDEN = "403"
