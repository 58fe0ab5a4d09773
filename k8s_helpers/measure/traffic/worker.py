"""The generator as a process of this machine: `python -m k8s_helpers.measure.traffic.worker`."""

from __future__ import annotations

import ssl

from ...kube.http import tls_context
from .generator import sender
from .generator.plan import Order


def checked(order: Order) -> ssl.SSLContext:
    """Return how an order wants its server checked."""
    context = tls_context(ca_file=order.ca_file, verify=order.verify)
    if order.cert_file:
        context.load_cert_chain(order.cert_file, order.key_file)
    return context


if __name__ == "__main__":
    sender.main(checked)
