"""Exercises: an answer is applied to the cluster and judged by what it does there over time.

Each exercise is a folder of `exercises/`: `exercise.yaml` (statement, hints), `check.py` (the control), `starter/`,
`solution/` and `wrong/NAME/` (one YAML file a step; one Python literal where the answer is made of values).
"""

from .bench import Bench, Observation
from .catalogue import Exercise, exercises, load
from .class_report import ClassReport, class_report
from .containers import container_end, container_runs, container_statuses
from .finding import Finding, Verdict
from .guard import only, replicas
from .marking import check, hint, starter
from .overview import Overview, progress
from .placement import wait_placed

__all__ = [
    "Bench",
    "ClassReport",
    "Exercise",
    "Finding",
    "Observation",
    "Overview",
    "Verdict",
    "check",
    "class_report",
    "container_end",
    "container_runs",
    "container_statuses",
    "exercises",
    "hint",
    "load",
    "only",
    "progress",
    "replicas",
    "starter",
    "wait_placed",
]
