"""The lab `shared_pod` in French."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..._french import typeset
from ...measure.recording import Recording
from .codes import TAKEN, Aspect
from .summary import Trial, trials

_ASPECTS: Mapping[Aspect, tuple[str, str]] = {
    Aspect.NETWORK: ("le réseau : une seule adresse", "le réseau : à chacun le sien"),
    Aspect.PORTS: (
        "les ports : le même ne s’ouvre pas deux fois",
        "les ports : le même s’ouvre deux fois",
    ),
    Aspect.VOLUME: ("les fichiers d’un volume commun", "les fichiers d’un volume commun"),
    Aspect.ROOT: ("les autres fichiers", "les autres fichiers"),
    Aspect.PROCESSES: ("la liste des processus", "la liste des processus"),
}
"""What is shared, and what is not."""

OWN: Mapping[Aspect, str] = {Aspect.ROOT: "ses fichiers", Aspect.PROCESSES: "ses processus"}


def name(trial: Trial) -> str:
    """Return what was tried."""
    shared, apart = _ASPECTS[trial.aspect]
    return shared if trial.shared else apart


def sign(trial: Trial) -> str:
    """Return whether it is shared."""
    return "partagé" if trial.shared else "pas partagé"


def _network(detail: str) -> str:
    url, _, status = detail.partition(" ")
    return f"GET {url} depuis « voisin » : {status or 'pas de réponse'}"


def _port(detail: str) -> str:
    came = "adresse déjà prise" if detail == TAKEN else "possible"
    return f"ouvrir le port 8080 une deuxième fois : {came}"


_DETAILS: Mapping[Aspect, Callable[[str], str]] = {
    Aspect.NETWORK: _network,
    Aspect.PORTS: _port,
    Aspect.VOLUME: lambda text: f"/partage/mot-du-site.txt : {f'« {text} »' if text else 'absent'}",
    Aspect.ROOT: lambda text: f"/app/mot-du-site.txt : {text or 'absent'}",
    Aspect.PROCESSES: lambda count: f"{count} processus dans son /proc",
}


def lines(trial: Trial) -> str:
    """Return what was tried and what was seen, in two lines."""
    return typeset(f"{name(trial)} — {sign(trial)}\n{_DETAILS[trial.aspect](trial.detail)}")


def verdict(tried: Sequence[Trial]) -> str:
    """Return in a sentence what is shared, or what is not as in a production cluster."""
    odd = [f"{name(trial)} ({sign(trial)})" for trial in tried if not trial.expected]
    if odd:
        return typeset(f"Contrairement à un cluster de production, ici : {', '.join(odd)}")
    return "Ils partagent réseau et volume, ni processus ni racine"


def note(recording: Recording) -> str:
    """Return what an embedded cluster does otherwise where pods have no network of their own; "" elsewhere."""
    tried = trials(recording.runs[0])
    if any(trial.aspect == "network" and "//127.0.0.1:" in trial.detail for trial in tried):
        return ""
    return typeset(
        "Cluster embarqué : l’adresse du pod ($BIND_ADDR) tient lieu de localhost, qui est celui de toute la machine"
    )


def alternative(recording: Recording) -> str:
    """Return the figure's text alternative."""
    tried = trials(recording.runs[0])
    facts = " ; ".join(lines(trial).replace("\n", ", ") for trial in tried)
    head = f"Pod à deux conteneurs, {recording.where}. {verdict(tried)}."
    return typeset(f"{head} {facts}. {note(recording)}".strip())
