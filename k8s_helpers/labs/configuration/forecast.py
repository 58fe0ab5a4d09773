"""How long a mounted ConfigMap takes to follow a change. Pure.

A kubelet does not push a change into its pods: it looks again at each pod every 60 s, to which a jitter of up to a
half is added, and once its work queue is looked at (every second); what it then finds in its cache, which a watch
keeps, is written into the volume.

Source: `syncFrequency` in https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/,
`workerResyncIntervalJitterFactor` in kubernetes/pkg/kubelet/pod_workers.go, and
https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
"""

from __future__ import annotations

SYNC_PERIOD_S = 60.0
"""`syncFrequency` of the kubelet's configuration."""
JITTER = 0.5
"""Share that is added to it at random, at most."""
WRITE_S = 3.0
"""From the kubelet's look until the files are there: its queue (1 s), its populator and its reconciler."""
EMBEDDED_S = 2.0
"""The course's own node writes as soon as its watch tells of the change, on a busy machine too."""


def file_delay_s(provider: str) -> tuple[float, float]:
    """Return the shortest and the longest delay of a mounted file, in seconds.

    Parameters
    ----------
    provider : str
        "embedded" has no kubelet, the others have.
    """
    if provider == "embedded":
        return 0.0, EMBEDDED_S
    return 0.0, SYNC_PERIOD_S * (1 + JITTER) + WRITE_S
