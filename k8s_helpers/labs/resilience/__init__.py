"""A service that calls another one which fails: with no care, with a time-out and retries, with a circuit breaker."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
