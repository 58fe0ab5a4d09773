"""Which class of quality of service the API server gives pods (slide 4.02)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
