"""The lab `discovery`, had each pod found what it did not, and missed what it found."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Le nom répond dans tous les pods",
    "la variable manque dans 2 sur 3",
    "elle est écrite au démarrage",
    "par le nom (http://vitrine) : v1",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    return turned(recording, {"v1": "no-answer", "present": "absent", "absent": "present"})
