"""Metrics collected as Prometheus does: each pod's counters, read again and again, and what rates they give."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
