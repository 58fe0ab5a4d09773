"""The lab `encryption_at_rest`, had the key encrypted at once, its absence too, and the API been unable to read."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Donner une clé ne change que ce qui est écrit ensuite",
    "l’API, elle, déchiffre pour qui a le droit de lire",
    "Secrets réécrits avec la clé, lire la valeur dans etcd : chiffré",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    answers = {"plaintext": "encrypted", "encrypted": "plaintext", "read": "404"}
    return turned(recording, answers)
