"""A NetworkPolicy that refuses everything: the API takes it, and who enforces it is measured."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
