"""What etcd keeps of a Secret before, during and after encryption at rest."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
