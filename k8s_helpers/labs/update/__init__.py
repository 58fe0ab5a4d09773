"""Four ways of going from one version to the next, each measured under traffic in a namespace of its own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
