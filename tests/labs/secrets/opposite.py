"""The lab `secrets`, had everybody been refused but those whom RBAC refuses."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Le base64 ne protège rien",
    "RBAC a refusé 3 lectures",
    "mais pas celle d’un pod qui reçoit le Secret",
    "dans etcd, il est en clair",
    "Compte sans droit, lire le Secret par l’API : refusé (403)",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    return turned(recording, {"read": "403", "403": "read", "plaintext": "encrypted"})
