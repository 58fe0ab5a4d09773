"""Codes of the attempts of the lab `secrets`."""

from enum import StrEnum

from ...measure.codes import Read as Outcome

__all__ = ["Outcome", "What", "Who"]


class Who(StrEnum):
    """Who tries to read the Secret."""

    YAML_READER = "reader-of-yaml"
    NO_RIGHTS = "account-without-rights"
    GET_RIGHT = "account-that-may-get-it"
    POD_CREATOR = "account-that-creates-pods"
    ETCD_READER = "reader-of-etcd"


class What(StrEnum):
    """By which way."""

    DECODE = "decode-base64"
    GET = "get-secret"
    LIST = "list-secrets"
    MOUNT = "mount-in-pod"
    ETCD = "look-into-etcd"
