"""A quota that fills up, and why a LimitRange goes with it (slide 4.04)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
