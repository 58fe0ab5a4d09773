"""The Java leak of slide 4.01 in two pods of the same limit, until each has died several times."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
