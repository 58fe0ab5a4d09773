"""HTTP from pod to pod through a Service: 200 requests a second, each on a connection of its own, planned in advance.

The client runs in a pod as well: what is measured is the cluster's inside alone, the same on kind and embedded.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from k8s_helpers.cluster import Cluster
from k8s_helpers.kube.waiting import wait_until

RATE_PER_S = 200
DURATION_S = 15
_SERVER = """
import asyncio
async def answer(reader, writer):
    try:
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()
async def main():
    async with await asyncio.start_server(answer, "0.0.0.0", 8080, backlog=512) as server:
        await server.serve_forever()
asyncio.run(main())
"""
_CLIENT = """
import asyncio, json, sys, time
rate, duration = map(int, sys.argv[1:])
async def ask(at):
    await asyncio.sleep(at - time.monotonic())
    began = time.monotonic()
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("serveur", 80), 5)
        writer.write(b"GET / HTTP/1.1\\r\\nHost: serveur\\r\\nConnection: close\\r\\n\\r\\n")
        body = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return time.monotonic() - began if body.endswith(b"ok\\n") else None
    except (OSError, asyncio.TimeoutError):
        return None
async def main():
    while await ask(time.monotonic()) is None:
        pass
    start = time.monotonic() + 0.5
    print(json.dumps(await asyncio.gather(*(ask(start + n / rate) for n in range(rate * duration)))))
asyncio.run(main())
"""


def latencies_ms(cluster: Cluster, image: str) -> list[float]:
    """Return how long each request took, name resolution included.

    Parameters
    ----------
    cluster : Cluster
        Where to measure; what is made there is deleted.
    image : str
        One with `python3`, which the cluster has.

    Raises
    ------
    AssertionError
        A request was lost.
    """
    with cluster.namespace(f"mesure-{secrets.token_hex(2)}") as namespace:
        ready = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
        namespace.apply([_pod("serveur", image, _SERVER, readinessProbe=ready), _service()])
        namespace.wait("pod", "serveur", timeout_s=60)
        namespace.apply([_pod("client", image, _CLIENT, str(RATE_PER_S), str(DURATION_S))])

        def over(pod: dict[str, Any]) -> bool:
            return bool(pod["status"].get("phase") in ("Succeeded", "Failed"))

        namespace.wait("pod", "client", over, timeout_s=DURATION_S + 60)
        found = json.loads(wait_until(lambda: namespace.logs("client").strip(), 10))
    latencies = [seconds * 1000 for seconds in found if seconds is not None]
    assert len(latencies) == RATE_PER_S * DURATION_S
    return latencies


def _pod(name: str, image: str, program: str, *arguments: str, **more: Any) -> dict[str, Any]:
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", program, *arguments],
        **more,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }


def _service() -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "serveur"},
        "spec": {"selector": {"app": "serveur"}, "ports": ports},
    }
