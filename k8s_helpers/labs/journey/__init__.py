"""One `kubectl apply`, followed from the API server to the Service's endpoints."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
