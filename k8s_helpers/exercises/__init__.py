"""Exercises: an answer is applied to the cluster and judged by what it does there over time.

Each exercise is a folder of `exercises/`: `exercise.yaml` (statement, hints), `check.py` (the control), `starter/`,
`solution/` and `wrong/NAME/` (one YAML file a step; one Python literal where the answer is made of values). Where the
state of a namespace is judged, `given/` is what stands there at the start, and the others hold commands.
"""

from .catalogue import Exercise, exercises, load
from .finding import Finding, Verdict
from .grading.class_report import ClassReport, class_report
from .marking import check, hint, starter
from .overview import Overview, progress, student
from .workspace import start, stop

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
    "start",
    "starter",
    "stop",
    "student",
]
