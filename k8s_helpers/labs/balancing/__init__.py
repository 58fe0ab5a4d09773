"""How a Service spreads requests over its pods, what stays when one of them dies, and what its four types give."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
