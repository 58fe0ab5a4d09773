"""Codes of the attempts of the lab `pod_security`."""

from enum import StrEnum


class Who(StrEnum):
    """The namespace's label of Pod Security, under which something is asked for, or who asks in its own name."""

    NO_LABEL = "no-label"
    ENFORCE_BASELINE = "enforce: baseline"
    WARN_RESTRICTED = "warn: restricted"
    ENFORCE_RESTRICTED = "enforce: restricted"
    REPLICA_SET = "replica-set"


class What(StrEnum):
    """What is asked for."""

    PRIVILEGED = "privileged-pod"
    ORDINARY = "ordinary-pod"
    HARDENED = "hardened-pod"
    DEPLOYMENT = "ordinary-deployment"
    OWN_POD = "pod-of-deployment"


class Outcome(StrEnum):
    """What comes of it."""

    ACCEPTED = "accepted"
    WARNED = "warned"
    REFUSED = "refused"
    NO_POD = "no-pod"
    READY_POD = "ready-pod"
