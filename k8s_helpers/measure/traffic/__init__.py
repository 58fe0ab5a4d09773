"""Open-loop HTTP traffic: planned instants, one record a request, sent by a process of its own."""

from .profile import Profile
from .traffic import Effort, Traffic, effort

__all__ = ["Effort", "Profile", "Traffic", "effort"]
