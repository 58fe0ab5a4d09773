"""Requests followed through two services: the spans that each program writes, put together by their trace."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
