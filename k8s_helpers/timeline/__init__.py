"""Recording → what it means: lives of pods, outages, mixed versions, summaries. Pure: never touches a cluster."""

from .added_node import AddedNodeSummary, added_node_summary
from .autoscaling import AutoscalingSummary, autoscaling_summary
from .broken_probes import BreakSummary, break_summary
from .capacity import CapacityStep, capacity_steps, sustained_per_s
from .memory import BackOffWait, LeakLife, MemorySummary, memory_summary, samples_of
from .outcomes import OUTAGE_MIN_S, Bin, bins, failed, mixed, outages
from .pods import Count, Interval, Phase, PhaseKind, PodLife, counts, lives
from .probe_kinds import KindSummary, kind_summaries
from .probes import ProbesSummary, probes_summary
from .resize import ResizeSummary, resize_summary
from .slow_update import SlowUpdateSummary, slow_update_summary
from .story import Difference, Story, differences
from .summary import EXPLAINED, STORIES, summary_json
from .update import UpdateSummary, update_summary

__all__ = [
    "EXPLAINED",
    "OUTAGE_MIN_S",
    "STORIES",
    "AddedNodeSummary",
    "AutoscalingSummary",
    "BackOffWait",
    "Bin",
    "BreakSummary",
    "CapacityStep",
    "Count",
    "Difference",
    "Interval",
    "KindSummary",
    "LeakLife",
    "MemorySummary",
    "Phase",
    "PhaseKind",
    "PodLife",
    "ProbesSummary",
    "ResizeSummary",
    "SlowUpdateSummary",
    "Story",
    "UpdateSummary",
    "added_node_summary",
    "autoscaling_summary",
    "bins",
    "break_summary",
    "capacity_steps",
    "counts",
    "differences",
    "failed",
    "kind_summaries",
    "lives",
    "memory_summary",
    "mixed",
    "outages",
    "probes_summary",
    "resize_summary",
    "samples_of",
    "slow_update_summary",
    "summary_json",
    "sustained_per_s",
    "update_summary",
]
