"""The slow program goes from v1 to v2 under traffic, with and without a readiness probe, at the same instant."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
