"""The helpers of an executable Kubernetes course: predict, measure on a real cluster, explain.

Names are imported when they are first used, so that `import k8s_helpers` is quick; `__init__.pyi` tells their types.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "Cluster",
    "K8sHelpersError",
    "Namespace",
    "Prediction",
    "Recorder",
    "Recording",
    "Traffic",
    "Verdict",
    "charts",
    "check",
    "connect",
    "current_cluster",
    "experiments",
    "facts",
    "hint",
    "images",
    "panels",
    "predict",
    "progress",
    "quoted",
    "starter",
    "timeline",
]

_MODULES = ("charts", "experiments", "images", "panels", "timeline")
_HOMES = {
    "Cluster": "cluster",
    "K8sHelpersError": "_errors",
    "Namespace": "cluster",
    "Prediction": "predictions",
    "Recorder": "recorder",
    "Recording": "recording",
    "Traffic": "load",
    "Verdict": "exercises",
    "check": "exercises",
    "connect": "cluster",
    "current_cluster": "cluster",
    "facts": "facts",
    "hint": "exercises",
    "predict": "predictions",
    "progress": "exercises",
    "quoted": "_quoted",
    "starter": "exercises",
}
"""Where each name comes from."""


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
