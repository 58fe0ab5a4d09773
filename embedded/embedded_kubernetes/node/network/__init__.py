"""The network that pods are in: addresses, names, and the sockets that lead into it."""
