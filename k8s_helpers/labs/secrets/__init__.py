"""Who can read a Secret: by base64, by RBAC, by a pod that mounts it, in etcd."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
