"""Panels: a few controls, and what follows from them at once. Each works without any cluster.

What follows is a pure function of the settings: in `layers`, `decision`, `forecasts`, or beside its panel. Its public
names are imported from here, as one thread must not import a module of these while another one imports all.
"""

from .as_a_service import as_a_service, as_a_service_quiz
from .autoscaler import autoscaler
from .availability import (
    HOURS_PER_MONTH,
    HOURS_PER_YEAR,
    availability,
    availability_percent,
    downtime,
)
from .decision import KUBERNETES, Context, Thresholds, recommend
from .decision_aid import decision_aid
from .layers import managers
from .probe_timeline import SLIDE_PROBES, probe_timeline
from .update_parameters import update_parameters

__all__ = [
    "HOURS_PER_MONTH",
    "HOURS_PER_YEAR",
    "KUBERNETES",
    "SLIDE_PROBES",
    "Context",
    "Thresholds",
    "as_a_service",
    "as_a_service_quiz",
    "autoscaler",
    "availability",
    "availability_percent",
    "decision_aid",
    "downtime",
    "managers",
    "probe_timeline",
    "recommend",
    "update_parameters",
]
