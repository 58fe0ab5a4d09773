"""A namespace as a map: which request goes to which Service, and on to which pods."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
