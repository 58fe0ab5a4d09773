"""Exercises: an answer is applied to the cluster and judged by what it does there over time.

Each exercise is a folder of `exercises/`: `exercise.yaml` (statement, hints), `check.py` (the control), `starter/`,
`solution/` and `wrong/NAME/` (one YAML file a step; one Python literal where the answer is made of values).
"""

from .catalogue import Exercise, exercises, load
from .class_report import ClassReport, class_report
from .finding import Finding, Verdict
from .marking import check, hint, starter
from .overview import Overview, progress

__all__ = [
    "ClassReport",
    "Exercise",
    "Finding",
    "Overview",
    "Verdict",
    "check",
    "class_report",
    "exercises",
    "hint",
    "load",
    "progress",
    "starter",
]
