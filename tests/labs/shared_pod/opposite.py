"""The lab `shared_pod`, had its containers shared what they do not, and not shared what they do."""

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Ils partagent réseau et volume, ni processus ni racine",
    "le réseau : une seule adresse",
    "le même ne s’ouvre pas deux fois — partagé",
    "adresse déjà prise",
    "les autres fichiers — pas partagé",
    "/app/mot-du-site.txt : absent",
)
_DETAILS = {
    "network": "http://127.0.0.1:8080",
    "ports": "free",
    "volume": "",
    "root": "bonjour du site",
    "processes": "3",
}


def opposite(recording: Recording) -> Recording:
    """Return the same trials with the opposite outcome."""
    (run,) = recording.runs
    facts = [
        {**fact, "shared": not fact["shared"], "detail": _DETAILS[fact["name"]]}
        for fact in run.parameters["facts"]
    ]
    return replace(recording, runs=(replace(run, parameters={"facts": facts}),))
