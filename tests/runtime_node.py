"""A node's runtime without a cluster around it, to run containers in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from pathlib import Path

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node import cri
from embedded_kubernetes.node.runtime import proctree
from embedded_kubernetes.node.runtime.runtime import ProcessRuntime

SOON_S = 20.0


class Node:
    """A runtime without a cluster around it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = ClusterConfig(
            name="t",
            directory=str(folder),
            runtime_directory=str(folder / "run"),
            slot=0,
            kubernetes_version="",
            binaries="",
            api_port=0,
            metrics_port=0,
            ingress_port=0,
            ingress_tls_port=0,
            proxy_port=0,
            kubelet_ports=(0,),
        )
        self.runtime = ProcessRuntime(config, "node-1")
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.244.0.9\tpod-1\n")
        self.count = 0

    def config(
        self, *argv: str, image: str | cri.ImageConfig = "host/python", **changes
    ) -> cri.ContainerConfig:
        self.count += 1
        known = self.runtime.image(image) if isinstance(image, str) else image
        assert known is not None
        config = cri.ContainerConfig(
            hostname="pod-1",
            image=known,
            argv=argv,
            env=known.env,
            working_dir=known.working_dir,
            mounts=(),
            log_path=self.folder / "logs" / f"{self.count}.log",
            hosts_path=self.hosts,
        )
        env = {**config.env, **changes.pop("env", {})}
        return replace(config, env=env, **changes)

    async def run(self, *argv: str, **changes) -> cri.Container:
        return await self.runtime.run(self.config(*argv, **changes))

    async def output(self, *argv: str, **changes) -> str:
        """Run to the end, and return what the log holds."""
        container = await self.run(*argv, **changes)
        async with asyncio.timeout(SOON_S):
            await container.wait()
        return self.log(container)

    def log(self, container: cri.Container) -> str:
        lines = container.config.log_path.read_text().splitlines()
        return "\n".join(line.split(" ", 3)[3] for line in lines)

    def processes(self) -> list[int]:
        """Return what runs below the spawner, zombies apart."""
        return [pid for pid in proctree.tree([self.runtime.link.pid])[1:] if alive(pid)]


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def until(condition, what: str) -> None:
    limit = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < limit, f"not in time: {what}"
        await asyncio.sleep(0.02)
