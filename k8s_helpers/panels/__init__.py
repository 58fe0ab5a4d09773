"""Panels: a few controls, and what follows from them at once. Each works without any cluster.

The logic of each is a pure function of a module of its own (`layers`, `decision`, `downtime`, `forecasts.rollout`,
`forecasts.scaling_rounds`, `probe_timeline`).
"""

from .as_a_service import as_a_service, as_a_service_quiz
from .autoscaler import autoscaler
from .availability import availability
from .decision import Context, Thresholds, recommend
from .decision_aid import decision_aid
from .downtime import downtime
from .probe_timeline import probe_timeline
from .update_parameters import update_parameters

__all__ = [
    "Context",
    "Thresholds",
    "as_a_service",
    "as_a_service_quiz",
    "autoscaler",
    "availability",
    "decision_aid",
    "downtime",
    "probe_timeline",
    "recommend",
    "update_parameters",
]
