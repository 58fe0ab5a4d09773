"""What the chart of a leak shows, in French words."""

from __future__ import annotations

from ..._french import NO_BREAK, count, enumeration, number, seconds
from ...measure.recording import Recording
from .summary import BackOffWait, MemorySummary, summarize

TITLES = {
    "default-heap": "Tas par défaut",
    "large-heap": "Tas plus grand que la limite",
}
MIB = 1 << 20
STAND_IN = "doublure en Python : aucun Java trouvé sur cette machine (k8s-lab doctor)"


def mebibytes(value: float) -> str:
    """Write a number of bytes in mebibytes ("512 Mio")."""
    return f"{number(round(value / MIB))}{NO_BREAK}Mio"


def title(summary: MemorySummary) -> str:
    """Name a variant with its heap and its limit."""
    name = TITLES.get(summary.variant, summary.variant)
    heap, limit = mebibytes(summary.leak.heap_bytes), mebibytes(summary.limit_bytes)
    return f"{name}{NO_BREAK}: {heap} pour le tas, limite du conteneur {limit}"


def verdict(summary: MemorySummary) -> str:
    """Tell who stops the program."""
    if not summary.lives:
        return "aucune mort pour l’instant"
    deaths = count(len(summary.lives), "mort")
    kinds = sorted({life.death for life in summary.lives})
    if kinds == ["OOMKilled 137"]:
        by = "le noyau tue le conteneur" if summary.kernel_counts else "tué à sa limite"
        return f"{deaths}{NO_BREAK}: {by} (OOMKilled, code 137)"
    if len(kinds) == 1 and summary.exit_code == 1 and summary.heap_was_full:
        return f"{deaths}{NO_BREAK}: la JVM s’arrête elle-même (OutOfMemoryError, code 1)"
    return f"{deaths}{NO_BREAK}: {enumeration(kinds)}"


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
    rule = enumeration([number(wait.delay_s) for wait in done])
    measured = enumeration([number(wait.length_s, 1) for wait in done])
    back = count(summary.restarts, "redémarrage")
    if not all(wait.as_predicted for wait in done):
        measured = f"autre chose que prévu, {measured}"
    return f"{back}, après {rule}{NO_BREAK}s d’attente (mesuré{NO_BREAK}: {measured}{NO_BREAK}s)"


def first_restart(wait: BackOffWait) -> str:
    """Tell how the first back-off, which is none, ended."""
    if not wait.over:
        return "pas encore redémarré"
    return (
        "redémarré aussitôt" if wait.as_predicted else f"redémarré après {seconds(wait.length_s)}"
    )


def prediction(summary: MemorySummary) -> str:
    """Tell what was predicted of each life beside what it was."""
    foreseen = summary.leak.death
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
    foreseen = prediction(summary)
    measured = ", ".join([verdict(summary), peak(summary), restarts(summary)])
    words = f"{title(summary)}. {measured}. {foreseen[:1].upper()}{foreseen[1:]}."
    if summary.unread:
        unread = "; ".join(f"{what} : {said}" for what, said in summary.unread.items())
        words += f" Non mesuré{NO_BREAK}: {unread}."
    return words


def alternative(recording: Recording) -> str:
    """Return the text alternative of the chart of leaks."""
    summaries = [summarize(run) for run in recording.runs]
    head = (
        f"Mémoire d’un programme Java qui fuit, {recording.where}, "
        f"{count(len(summaries), 'variante')} sur le même axe de temps."
    )
    stand_in = any(summary.leak.stand_in for summary in summaries)
    badge = [f"Attention{NO_BREAK}: {STAND_IN}."] if stand_in else []
    return " ".join([head, *badge, *map(sentence, summaries)])
