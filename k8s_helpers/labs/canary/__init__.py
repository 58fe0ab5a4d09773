"""A canary release by the number of pods: two Deployments behind one Service, step by step."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
