"""What the figures of all labs are made of: axes, columns, colours, tables; and the figures of quoted facts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
