"""What survives what: four places where a program may write, a container that restarts, a pod that is deleted."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
