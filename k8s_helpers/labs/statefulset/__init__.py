"""A StatefulSet beside a Deployment: order, names, storage after a death, DNS, updates, fewer and more pods again."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
