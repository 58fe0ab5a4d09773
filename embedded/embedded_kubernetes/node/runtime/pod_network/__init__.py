"""The network of pods as the kernel sees it: namespaces, interfaces, addresses, routes."""
