"""Open-loop HTTP traffic: planned instants, one record a request, sent by a process of its own, here or in a pod."""

from .effort import Effort, effort, shortfall
from .profile import Profile
from .traffic import Traffic, TrafficCutError

__all__ = ["Effort", "Profile", "Traffic", "TrafficCutError", "effort", "shortfall"]
