"""A cluster is full, a node joins it while it runs, waiting pods land there, then it leaves (slide 4.11)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
