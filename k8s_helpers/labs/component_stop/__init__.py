"""A component of the control plane is stopped, something is asked for, and it is started again."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
