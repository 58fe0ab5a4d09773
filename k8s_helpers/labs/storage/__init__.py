"""Claims, volumes and classes: who waits for whom, what is made, what is left when the claim goes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
