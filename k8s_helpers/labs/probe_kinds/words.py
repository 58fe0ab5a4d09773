"""What kinds of probes ask and see, in French words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..._french import NO_BREAK, count, seconds, typeset
from ...forecasts.span import Span
from ...measure.recording import Recording

if TYPE_CHECKING:
    from .summary import KindSummary

FAILS = "le programme se dit en panne"
BREAKS: Mapping[str, str] = {"tcp": "le port se ferme", "exec": "le fichier disparaît"}
_SEEN: Mapping[str, str] = {"tcp": "le port qui se ferme", "exec": "le fichier qui disparaît"}


def asked(action: str) -> str:
    """Say what a probe asks, as the recording has it: the field of the manifest, then its values."""
    field, _, rest = action.partition(" ")
    if field == "exec":
        return rest
    *what, port = rest.split(" ")
    if field == "httpGet":
        return f"GET {' '.join(what)}, port {port}"
    if field == "grpc":
        return f"Health/Check « {' '.join(what)} », port {port}"
    return f"port {port} ouvert ?"


def sees(summary: KindSummary) -> str:
    """Tell whether a kind saw that its program was in trouble."""
    if summary.sees_the_program:
        return "voit la panne du programme"
    if summary.unready_s is None and summary.kill_s is None:
        return "ne voit aucune panne"
    return f"ne voit que {_SEEN.get(summary.kind, 'la panne suivante')}"


def left(summary: KindSummary) -> str:
    """Tell when the pod left its Service."""
    return _instant("hors du Service", summary.left_s, summary.predicted_unready)


def killed(summary: KindSummary) -> str:
    """Tell when its container was killed."""
    return _instant("conteneur tué", summary.kill_s, summary.predicted_kill)


def _instant(words: str, at_s: float | None, span: Span) -> str:
    when = f"jamais {words}" if at_s is None else f"{words} après {seconds(at_s)}"
    return f"{when} (prévu {span.words()})"


def back(summary: KindSummary) -> str:
    """Tell how often it was restarted, and when it was in its Service again."""
    returned = "" if summary.back_s is None else f" ; de retour après {seconds(summary.back_s)}"
    return f"{count(summary.restarts, 'relance')}{returned}"


def title(summaries: Iterable[KindSummary]) -> str:
    """Tell which kinds saw that programs were in trouble, and which did not."""
    seeing: dict[bool, list[str]] = {True: [], False: []}
    for summary in summaries:
        seeing[summary.sees_the_program].append(summary.kind)
    parts = [
        f"{' et '.join(kinds)} {words if len(kinds) > 1 else word}"
        for kinds, word, words in (
            (seeing[True], "la voit", "la voient"),
            (seeing[False], "regarde ailleurs", "regardent ailleurs"),
        )
        if kinds
    ]
    return typeset("La même panne dans chaque pod : " + " ; ".join(parts))


def alternative(recording: Recording, summaries: Iterable[KindSummary]) -> str:
    """Return the text alternative of the chart."""
    summaries = list(summaries)
    sentences = [f"{title(summaries)} ({recording.where})."]
    for summary in summaries:
        said = f" Le kubelet dit : « {summary.said} »." if summary.said else ""
        verdict = " ; ".join([sees(summary), left(summary), killed(summary), back(summary)])
        sentences.append(f"{summary.kind} ({asked(summary.asks)}){NO_BREAK}: {verdict}.{said}")
    return typeset(" ".join(sentences))
