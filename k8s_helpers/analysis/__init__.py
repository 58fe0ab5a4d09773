"""What labs compute alike from a recording: lives of pods, outcomes of requests, attempts. Pure."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
