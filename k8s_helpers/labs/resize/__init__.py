"""A running pod gets more processor, in place: the same container answers faster (slide 4.11)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
