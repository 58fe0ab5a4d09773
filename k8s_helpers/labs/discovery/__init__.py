"""How a program finds a Service: by its name, and by variables that only pods created after it have."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
