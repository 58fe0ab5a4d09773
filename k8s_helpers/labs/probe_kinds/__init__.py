"""Four pods, four kinds of probes: what each of them sees of a failure, and what it does not."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
