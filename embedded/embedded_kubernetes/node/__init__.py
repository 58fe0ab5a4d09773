"""One node: the work of a kubelet, and of what else runs on nodes, with processes for containers."""
