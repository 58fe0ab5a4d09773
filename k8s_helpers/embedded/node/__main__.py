"""One node of an embedded cluster: `python -m k8s_helpers.embedded.node --config FOLDER --node NAME`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from .. import added_node, pki
from ..config import ClusterConfig
from . import node


def main() -> None:
    """Run a node until it is told to stop."""
    parser = argparse.ArgumentParser(description="One node of an embedded cluster.")
    parser.add_argument("--config", type=Path, required=True, help="the cluster's folder")
    parser.add_argument("--node", required=True, help="the node's name")
    parser.add_argument(
        "--added-port", type=int, help="its port, where it joins a cluster that runs already"
    )
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    config = ClusterConfig.load(arguments.config)
    if arguments.added_port is not None:
        config = added_node.with_one_more(config, arguments.added_port)
        pki.ensure(config)
    asyncio.run(_run(config, arguments.node))


async def _run(config: ClusterConfig, name: str) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with contextlib.AsyncExitStack() as stack:
        starting = asyncio.create_task(node.start(config, name, stack))
        stopping = asyncio.create_task(told.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            await stopping
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


if __name__ == "__main__":
    main()
