"""A readiness probe, then a liveness probe, that begin to fail in a pod under traffic."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
