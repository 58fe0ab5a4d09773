"""Gaps between what is wished and what is, each made in a namespace of its own, and how they close."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
