"""The lab `ingress`, had each request gone where no rule leads it, and an Ingress without controller been served."""

from turned import turned

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "5 requêtes menées à leur Service",
    "Sans contrôleur, un Ingress n’est qu’un objet",
    "Host: blog.example.com, GET / : blog",
    "✔ blog",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""
    answers = {"boutique": "404", "blog": "404", "404": "boutique"}
    return turned(recording, {**answers, "address": "no-address", "no-address": "address"})
