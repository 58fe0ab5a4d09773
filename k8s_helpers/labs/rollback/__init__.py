"""A bad version is rolled out under traffic, each in a namespace of its own; then the way back."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
