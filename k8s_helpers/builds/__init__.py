"""The course's own programs as images in a cluster, and the jars that its Java programs need."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
