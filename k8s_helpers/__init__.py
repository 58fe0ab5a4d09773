"""The helpers of an executable Kubernetes course: predict, measure on a real cluster, explain.

Names are imported when they are first used, so that `import k8s_helpers` is quick; `__init__.pyi` lists them.
"""

import lazy_loader

from . import _paths  # noqa: F401 (says whose the embedded clusters of this process are)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
