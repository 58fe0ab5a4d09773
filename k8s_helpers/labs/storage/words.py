"""What the lab `storage` says in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import seconds, typeset
from ...measure.recording import Recording
from .codes import Claim, StorageMark
from .summary import StorageSummary, summarize

TITLES: Mapping[str, str] = {
    Claim.DELETE: "Classe par défaut, politique Delete",
    Claim.RETAIN: "Politique Retain",
    Claim.IMPOSSIBLE: "Une classe qui n’existe pas",
}
ROWS: Mapping[str, str] = {
    "Pod": "pod",
    "PersistentVolumeClaim": "demande (PVC)",
    "PersistentVolume": "volume (PV)",
}
MARKS: Mapping[str, str] = {
    StorageMark.CLAIM: "demande créée",
    StorageMark.CONSUMER: "pod créé",
    StorageMark.DELETE_POD: "pod supprimé",
    StorageMark.DELETE_CLAIM: "demande supprimée",
    StorageMark.RETAIN: "Retain",
    StorageMark.CLEAR_CLAIM: "libéré à la main",
}


def verdict(summary: StorageSummary) -> str:
    """Return who waited for whom, and what is left."""
    if summary.bind_s is None:
        end = "rien n’échoue : tout attend" if summary.all_wait else "mais tout n’attend pas"
        return typeset(f"personne ne la sert, {end} ({summary.reason[:70]})")
    first = "la demande attend un pod" if summary.waits_for_pod else "la demande n’attend personne"
    kept = "un nouveau pod relit la note" if summary.survives_pod else "la note est perdue"
    return typeset(
        f"{first} ; il arrive : un volume {seconds(max(summary.bind_s, 0.0))} après ; {kept} ; {_end(summary)}"
    )


def _end(summary: StorageSummary) -> str:
    if summary.reused:
        return "le volume reste et resservira"
    return "le volume part avec la demande" if summary.volume_gone else "le volume reste"


def alternative(recording: Recording) -> str:
    """Return the figure in sentences."""
    sentences = []
    for summary in map(summarize, recording.runs):
        claims = " ; ".join(" puis ".join(phases) for phases in summary.claims)
        volumes = " ; ".join(" puis ".join(phases) for phases in summary.volumes) or "aucun"
        title = TITLES.get(summary.run, summary.run)
        sentences.append(f"{title} : {verdict(summary)} ; demande : {claims} ; volume : {volumes}.")
    return typeset(
        f"Demandes et volumes au fil du temps, {recording.where}. " + " ".join(sentences)
    )
