"""Open-loop HTTP traffic: planned instants, one record a request, sent by a process of its own."""

from ..timeline.effort import Effort, effort
from .profile import Profile
from .traffic import Traffic

__all__ = ["Effort", "Profile", "Traffic", "effort"]
