"""One node of an embedded cluster: `python -m embedded_kubernetes.node --config FOLDER --node NAME`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import pki
from ..config import ClusterConfig
from ..control import added_node
from . import isolation, node
from .cri import NetworkRefusedError
from .heart import Heart

_THREADS = 3


def main() -> None:
    """Run a node until it is told to stop."""
    parser = argparse.ArgumentParser(description="One node of an embedded cluster.")
    parser.add_argument("--config", type=Path, required=True, help="the cluster's folder")
    parser.add_argument("--node", required=True, help="the node's name")
    parser.add_argument(
        "--added-port", type=int, help="its port, where it joins a cluster that runs already"
    )
    parser.add_argument("--heartbeat-fd", type=int, help="the pipe on which the supervisor listens")
    arguments = parser.parse_args()
    faulthandler.register(signal.SIGUSR1)  # what the supervisor sends to one that hangs
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    os.umask(0o022)  # containers' users read what the node writes for them; its folder is closed
    config = ClusterConfig.load(arguments.config)
    if arguments.added_port is not None:
        config = added_node.with_one_more(config, arguments.added_port)
        pki.ensure(config)
    try:
        asyncio.run(_run(config, arguments.node, arguments.heartbeat_fd))
    except NetworkRefusedError as error:
        isolation.forget_trial()
        print(error, file=sys.stderr)
        sys.exit(os.EX_CONFIG)  # another try would end as this one


async def _run(config: ClusterConfig, name: str, heartbeat_fd: int | None) -> None:
    loop = asyncio.get_running_loop()
    # Threads only delete and measure files: a few are enough, and each keeps memory of its own for good.
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="files"))
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    heart = Heart(heartbeat_fd)
    async with contextlib.AsyncExitStack() as stack:
        if heartbeat_fd is not None:
            os.set_inheritable(heartbeat_fd, False)
            beating = asyncio.create_task(heart.beat(), name="heartbeat")
            stack.callback(beating.cancel)
        starting = asyncio.create_task(node.start(config, name, heart, stack))
        stopping = asyncio.create_task(asked_to_stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            # What is there now stays: looking through it again would stop everything for milliseconds.
            gc.collect()
            gc.freeze()
            await stopping
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


if __name__ == "__main__":
    main()
