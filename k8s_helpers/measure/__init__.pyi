from . import in_pod as in_pod
