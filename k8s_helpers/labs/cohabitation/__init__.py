"""What goes in one pod? A site and its database together, or apart: each is scaled up, written to and read."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
