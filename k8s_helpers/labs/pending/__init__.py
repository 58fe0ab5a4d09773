"""A pod that asks for more than any node has (slide 4.03)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
