"""The lab `pod_security`, had the levels refused what they let in, and let in what they refused."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "3 pods refusés par leur niveau",
    "« warn » laisse passer et prévient",
    "un Deployment est accepté, ses pods non",
    "enforce: restricted, pod privilegie : refusé",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    answers = {"accepted": "refused", "warned": "refused", "refused": "accepted"}
    return turned(recording, {**answers, "no-pod": "ready-pod"})
