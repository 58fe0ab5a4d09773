"""The delays of the HorizontalPodAutoscaler: Kubernetes' own, and those of the clusters that the course makes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from embedded_kubernetes.control.control_plane import AUTOSCALER_S


@dataclass(frozen=True)
class AutoscalerDelays:
    """How quickly a cluster's autoscaler and its metrics are; the defaults are Kubernetes' own.

    Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/

    Attributes
    ----------
    sync_period_s : float
        How often it looks.
    cpu_initialization_s : float
        How long a pod counts as one that starts.
    initial_readiness_s : float
        How soon a new pod may count as ready.
    metrics_window_s : float
        How old what it sees may be: the period of the metrics, and the time over which they are taken.
    """

    sync_period_s: float = 15.0
    cpu_initialization_s: float = 300.0
    initial_readiness_s: float = 30.0
    metrics_window_s: float = 30.0

    def flags(self) -> dict[str, float]:
        """Return kube-controller-manager's flags, without dashes, with their seconds."""
        return {
            "horizontal-pod-autoscaler-sync-period": self.sync_period_s,
            "horizontal-pod-autoscaler-cpu-initialization-period": self.cpu_initialization_s,
            "horizontal-pod-autoscaler-initial-readiness-delay": self.initial_readiness_s,
        }


KUBERNETES = AutoscalerDelays()
"""Those that no flag changes."""
DOWN_WINDOW_S = 300.0
"""`--horizontal-pod-autoscaler-downscale-stabilization`: what a HPA's own `behavior` may shorten."""

COURSE = AutoscalerDelays(*(float(AUTOSCALER_S[flag]) for flag in KUBERNETES.flags()))
"""Of each cluster that the course makes, as of the embedded one: a lesson waits in seconds, not in minutes."""
KIND_METRICS_PERIOD_S = 10.0
"""`--metric-resolution` of the metrics-server that the course installs there."""
KIND = replace(COURSE, metrics_window_s=15.0)
EMBEDDED = replace(COURSE, metrics_window_s=2.0)
