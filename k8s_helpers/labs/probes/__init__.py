"""One slow program, several ways to probe it, all started at the same instant under traffic."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
