"""Addresses, names, Services and the ways between them, with plain sockets."""
