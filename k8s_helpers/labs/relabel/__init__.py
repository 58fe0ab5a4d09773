"""One label of a running pod is changed: its Service and its ReplicaSet let go of it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
