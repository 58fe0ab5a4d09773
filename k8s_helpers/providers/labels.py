"""The labels by which the course knows its own namespaces: what does not carry them is never deleted."""

from __future__ import annotations

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "k8s-helpers"
PREFIX = "k8s-helpers/namespace-prefix"
"""On a shared cluster: whose namespaces these are; "none" without a prefix."""
PROCESS = "k8s-helpers/process"
"""Annotation of a namespace that goes with the process that made it: which one that is (`_process.identity`)."""


def of(namespace_prefix: str) -> dict[str, str]:
    """Return the labels of a namespace that the course makes."""
    return {MANAGED_BY: OURS, PREFIX: namespace_prefix.rstrip("-") or "none"}


def selector(namespace_prefix: str) -> str:
    """Return the label selector of the namespaces made with that prefix."""
    return ",".join(f"{name}={value}" for name, value in of(namespace_prefix).items())
