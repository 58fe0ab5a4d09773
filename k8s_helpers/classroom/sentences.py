"""What is seen of a class, in French: for the terminal and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .._french import count, duration, typeset
from ..exercises import exercises
from .attention import AWAY_S, STUCK_ATTEMPTS, STUCK_S, Fault, Need, Seat, Stumbling

MARKS: Mapping[Need, str] = {
    Need.BROKEN: "✖",
    Need.STUCK: "▲",
    Need.SILENT: "…",
    Need.ABSENT: "○",
    Need.WORKING: "●",
    Need.AWAY: "–",
}
STATES: Mapping[Need, str] = {
    Need.BROKEN: "empêché",
    Need.STUCK: "bloqué",
    Need.SILENT: "sans activité",
    Need.ABSENT: "pas commencé",
    Need.WORKING: "travaille",
    Need.AWAY: "parti",
}
_SHOWN = 8
"""Most mistakes that are listed."""
_HINT_LENGTH = 110


def summary(class_name: str, seen: Sequence[Seat]) -> str:
    """Return one sentence: how many there are, and how they are."""
    numbers = Counter(seat.need for seat in seen)
    parts = [f"{MARKS[need]} {STATES[need]} : {numbers[need]}" for need in Need if numbers[need]]
    return typeset(f"{class_name}, {count(len(seen), 'étudiant')}. {' ; '.join(parts)}")


def rules() -> str:
    """Return what the marks mean."""
    minutes = round(STUCK_S / 60)
    return typeset(
        f"▲ bloqué : {minutes} minutes ou plus sur un exercice, {STUCK_ATTEMPTS} essais ou plus, sans succès. "
        f"… sans activité : exercice commencé, rien depuis {minutes} minutes. "
        f"– parti : rien depuis {duration(AWAY_S)}. ✖ empêché : le cluster ne laisse pas travailler."
    )


def place(seat: Seat) -> str:
    """Return where a student is."""
    if seat.progress.exercise:
        return seat.progress.exercise
    return "" if seat.need == Need.ABSENT or seat.idle_s is None else "notebooks"


def age(value_s: float | None) -> str:
    """Return a duration in whole minutes, as it does not change at each glance."""
    if value_s is None:
        return ""
    minutes = round(value_s / 60)
    if minutes < 1:
        return typeset("< 1 min")
    return f"{minutes}\u00a0min" if minutes < 100 else duration(value_s)


def remarks(seat: Seat) -> str:
    """Return what is to be known of a student besides: the last finding, what the cluster has against them."""
    parts = [_fault(fault) for fault in seat.faults]
    tried = seat.progress.exercises.get(seat.progress.exercise)
    if tried is not None and tried.finding and not tried.passed:
        parts.insert(0, f"« {tried.finding} »")
    elif tried is not None and tried.passed:
        parts.insert(0, "réussi")
    return typeset(" ; ".join(parts))


def help_line(seat: Seat, name: str) -> str:
    """Return a sentence on somebody who needs help."""
    parts = [f"{MARKS[seat.need]} {name} : {STATES[seat.need]}"]
    if seat.need in (Need.STUCK, Need.SILENT):
        parts.append(f"sur {seat.progress.exercise} depuis {age(seat.on_exercise_s)}")
        parts.append(count(seat.attempts, "essai"))
        if seat.need == Need.SILENT:
            parts.append(f"rien depuis {age(seat.idle_s)}")
    if words := remarks(seat):
        parts.append(words)
    return typeset(", ".join(parts))


def stumbling_lines(found: Sequence[Stumbling]) -> list[str]:
    """Return what a class stumbles on, each with the first hint that students get for it."""
    return [_stumbling(item) for item in found[:_SHOWN]]


def _stumbling(item: Stumbling) -> str:
    exercise = exercises("").get(item.exercise)
    hints = exercise.hints.get(item.finding, ()) if exercise is not None else ()
    left = (
        "1 ne l’a pas encore réussi"
        if item.still == 1
        else f"{item.still} ne l’ont pas encore réussi"
    )
    line = f"{item.exercise}, « {item.finding} » : {item.times} fois, {count(item.students, 'étudiant')}, dont {left}"
    if hints:
        hint = " ".join(hints[0].split())
        shown = hint if len(hint) <= _HINT_LENGTH else hint[:_HINT_LENGTH].rsplit(" ", 1)[0] + " …"
        line += f". Indice : {shown}"
    return typeset(line)


def _fault(fault: Fault) -> str:
    words = {
        "terminating": f"l’espace de noms {fault.where} est en cours de suppression",
        "quota": f"quota épuisé dans {fault.where} ({fault.detail})",
        "token-ended": "jeton expiré (« k8s-lab class renew »)",
        "token-soon": f"jeton valable jusqu’au {fault.detail[8:10]}/{fault.detail[5:7]} seulement",
    }
    return words[fault.code]
