"""What the chart of a leak shows, in French words."""

from __future__ import annotations

from collections.abc import Iterable

from .._french import NO_BREAK, count, number, seconds
from ..recording import Recording
from ..timeline import LeakLife, MemorySummary, memory_summary

TITLES = {
    "default-heap": "Tas par défaut",
    "large-heap": "Tas plus grand que la limite",
}
MIB = 1 << 20
STAND_IN = "doublure en Python : aucun Java trouvé sur cette machine (k8s-lab doctor)"


def mebibytes(value: float) -> str:
    """Write a number of bytes in mebibytes ("512 Mio")."""
    return f"{number(round(value / MIB))}{NO_BREAK}Mio"


def enumerated(words: Iterable[str]) -> str:
    """Join words as French does ("0, 10 et 20")."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} et {last}" if first else last


def title(summary: MemorySummary) -> str:
    """Name a variant with its heap and its limit."""
    name = TITLES.get(summary.variant, summary.variant)
    heap, limit = mebibytes(summary.heap_bytes), mebibytes(summary.limit_bytes)
    return f"{name}{NO_BREAK}: {heap} pour le tas, limite du conteneur {limit}"


def death(life: LeakLife) -> str:
    """Name a death as `kubectl describe` does: reason and exit code."""
    return life.reason if life.exit_code is None else f"{life.reason} {life.exit_code}"


def verdict(summary: MemorySummary) -> str:
    """Tell who stops the program."""
    if not summary.lives:
        return "aucune mort pour l’instant"
    deaths = count(len(summary.lives), "mort")
    kinds = sorted({death(life) for life in summary.lives})
    reason, code = summary.reason, summary.exit_code
    if len(kinds) == 1 and (reason, code) == ("OOMKilled", 137):
        return f"{deaths}{NO_BREAK}: le noyau tue le conteneur (OOMKilled, code 137)"
    if len(kinds) == 1 and code == 1 and summary.heap_was_full:
        return f"{deaths}{NO_BREAK}: la JVM s’arrête elle-même (OutOfMemoryError, code 1)"
    return f"{deaths}{NO_BREAK}: {enumerated(kinds)}"


def peak(summary: MemorySummary) -> str:
    """Tell how near to the limit it came."""
    if summary.peak_bytes is None:
        return "mémoire non mesurée"
    share = 100 * summary.peak_bytes / summary.limit_bytes
    most, limit = mebibytes(summary.peak_bytes), mebibytes(summary.limit_bytes)
    return f"au plus {most} sur {limit} ({number(round(share))}{NO_BREAK}%)"


def restarts(summary: MemorySummary) -> str:
    """Tell how often it came back, and after which waits."""
    done = [wait for wait in summary.waits if wait.over]
    if not done:
        return "aucun redémarrage"
    rule = enumerated(number(wait.delay_s) for wait in done)
    found = enumerated(number(wait.length_s, 1) for wait in done)
    back = count(summary.restarts, "redémarrage")
    return f"{back}, après {rule}{NO_BREAK}s d’attente (mesuré{NO_BREAK}: {found}{NO_BREAK}s)"


def prediction(summary: MemorySummary) -> str:
    """Tell what was predicted of each life beside what it was."""
    foreseen = summary.predicted
    reason = (
        "l’une ou l’autre mort"
        if foreseen.reason is None
        else f"{foreseen.reason} {foreseen.exit_code}"
    )
    lo, hi = (number(value, 1) for value in foreseen.after)
    words = f"prévu{NO_BREAK}: {reason}, {lo} à {hi}{NO_BREAK}s après chaque départ"
    lengths = [life.length_s for life in summary.lives]
    if not lengths:
        return words
    least, most = seconds(min(lengths)), seconds(max(lengths))
    return f"{words}{NO_BREAK}; mesuré{NO_BREAK}: {least} à {most}"


def sentence(summary: MemorySummary) -> str:
    """Tell all about one variant in a few sentences."""
    parts = [verdict(summary), peak(summary), restarts(summary), prediction(summary)]
    told = f"{title(summary)}. {', '.join(parts[:3])}. {parts[3][:1].upper()}{parts[3][1:]}."
    if summary.refused:
        told += f" Non mesuré{NO_BREAK}: {'; '.join(summary.refused)}."
    return told


def alternative(recording: Recording) -> str:
    """Return the text alternative of the chart of leaks."""
    found = [memory_summary(run) for run in recording.runs]
    head = (
        f"Mémoire d’un programme Java qui fuit, {recording.where}, "
        f"{count(len(found), 'variante')} sur le même axe de temps."
    )
    badge = [f"Attention{NO_BREAK}: {STAND_IN}."] if any(one.stand_in for one in found) else []
    return " ".join([head, *badge, *map(sentence, found)])
