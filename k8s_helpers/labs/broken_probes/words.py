"""What a broken probe changes, in French words."""

from __future__ import annotations

from ..._french import count, seconds, typeset
from .summary import BreakSummary


def title(probe: str) -> str:
    """Name what breaks."""
    return f"La {probe} se casse"


def verdict(summary: BreakSummary) -> str:
    """Tell who leaves the Service and who is restarted."""
    does = "reste dans le" if summary.left_s is None else "quitte le"
    return f"le pod {does} Service, {count(summary.restarts, 'relance')}"


def instants(summary: BreakSummary) -> str:
    """Tell when the kubelet drew the consequence, and when the pod was back."""
    decided = "jamais" if summary.decided_s is None else f"après {seconds(summary.decided_s)}"
    back = "" if summary.back_s is None else f" ; de retour après {seconds(summary.back_s)}"
    return typeset(f"conséquence {decided} (prévu {summary.predicted.words()}){back}")


def lost(summary: BreakSummary) -> str:
    """Tell how many requests clients lost."""
    return count(summary.failed, "requête perdue", "requêtes perdues")
