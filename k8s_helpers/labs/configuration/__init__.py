"""One setting read in three ways: changed while the programs run, then they are restarted."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
