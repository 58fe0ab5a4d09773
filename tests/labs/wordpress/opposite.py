"""The lab `wordpress`, had the article gone with the pods."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "L’article survit à tous les pods",
    "la base a laissé le sien dans son volume",
    "une fois le pod de la base remplacé : lu par tous",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    return turned(recording, {"done": "lost", "read": "lost", "lost": "read"})
