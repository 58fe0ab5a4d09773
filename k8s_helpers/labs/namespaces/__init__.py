"""Two namespaces with the same names in them: what each keeps to itself, and what it does not."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
