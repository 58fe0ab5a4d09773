"""etcd of a kind cluster, read from its node with the API server's own certificate."""

from __future__ import annotations

from .._errors import PlatformError
from ..embedded import etcd_gateway
from .engine import Engine

_PKI = "/etc/kubernetes/pki"
_URL = f"https://127.0.0.1:2379{etcd_gateway.RANGE_PATH}"
_CURL = (
    "curl", "--silent", "--show-error", "--max-time", "10",
    "--cacert", f"{_PKI}/etcd/ca.crt",
    "--cert", f"{_PKI}/apiserver-etcd-client.crt",
    "--key", f"{_PKI}/apiserver-etcd-client.key",
    "--data", "@-", _URL,
)  # fmt: skip


def read(engine: Engine, node: str, key: str) -> bytes | None:
    """Return the value under a key; None where there is none.

    Raises
    ------
    PlatformError
        The node has no curl, or etcd refuses.
    """
    done = engine.run(
        "exec", "--interactive", node, *_CURL, stdin=etcd_gateway.request(key), check=False
    )
    try:
        return etcd_gateway.value(done.stdout)
    except ValueError as error:
        raise PlatformError(
            f"Lire « {key} » dans etcd, sur le nœud « {node} »",
            done.stderr.strip() or str(error),
            'Refaites-le sur le cluster embarqué : connect(provider="embedded").',
        ) from None
