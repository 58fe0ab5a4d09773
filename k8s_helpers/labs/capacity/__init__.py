"""How many requests one pod of the app serves on this machine: more and more of them, until it cannot keep up."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
