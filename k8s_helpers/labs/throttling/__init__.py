"""The same work under several processor limits: nobody dies of it, everybody waits (slide 4.02)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
