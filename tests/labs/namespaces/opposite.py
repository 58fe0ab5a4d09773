"""The lab `namespaces`, had nothing stopped at the border but the network."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Noms, droits et quota sont propres à chaque espace de noms",
    "le réseau, lui, passe de l’un à l’autre",
    "lister les pods de equipe-b : 403",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    answers = {"v1": "no-answer", "v2": "no-answer", "listed": "403", "created": "403"}
    return turned(recording, {**answers, "403": "listed"})
