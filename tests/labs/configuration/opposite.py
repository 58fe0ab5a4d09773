"""The lab `configuration`, had the environment followed by itself, and the mounted file only after a restart."""

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "Sans redémarrage, seul le fichier monté suit",
    "fichier monté : suit sans redémarrage",
    "variable d’environnement : ne suit qu’après le redémarrage",
    "(dans l’intervalle)",
)
_OTHER = {"env": "file", "file": "env", "subpath": "subpath"}


def opposite(recording: Recording) -> Recording:
    """Return the same samples, those of the environment and of the file exchanged."""
    (run,) = recording.runs
    samples = tuple(replace(sample, subject=_OTHER[sample.subject]) for sample in run.samples)
    return replace(recording, runs=(replace(run, samples=samples),))
