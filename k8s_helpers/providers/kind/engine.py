"""The container engine that kind works with: Docker or Podman, found, questioned, and its silence explained."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_kubernetes.processes import CommandError, Completed, run

from ..._errors import EngineError

COMMANDS = ("docker", "podman")
FREEZER = Path("/sys/fs/cgroup/freezer")
_STATE, _THAWED = "freezer.state", "THAWED"
_ANSWER_S = 5.0
_SAVES_A_PLATFORM = (1, 48)
_VARIABLE = "KIND_EXPERIMENTAL_PROVIDER"
_OR_EMBEDDED = "ou prenez le cluster embarqué, qui s’en passe : K8S_HELPERS_PROVIDER=embedded."


@dataclass(frozen=True)
class Container:
    """A container as the engine sees it."""

    container_id: str
    running: bool
    started_at: str
    """Time of its last start, ISO 8601 in UTC."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    Attributes
    ----------
    command : str
        "docker" or "podman".
    version : str
        Of its server.
    cgroup_v1 : bool
        Whether its machine still has the old cgroups, with which the kubelet starts only when told to.
    data_directory : str
        Where it keeps images and containers, on the machine it runs on.
    """

    command: str
    version: str
    cgroup_v1: bool
    data_directory: str

    @property
    def environment(self) -> dict[str, str]:
        """What makes the `kind` command use this engine."""
        return {_VARIABLE: self.command}

    def run(
        self, *arguments: str, timeout_s: float = 60.0, check: bool = True, stdin: str | None = None
    ) -> Completed:
        """Run the engine's command to its end; `CommandError` where it fails."""
        return run([self.command, *arguments], timeout_s=timeout_s, check=check, stdin=stdin)

    def exec(
        self,
        node: str,
        *arguments: str,
        timeout_s: float = 60.0,
        check: bool = True,
        stdin: str | None = None,
    ) -> Completed:
        """Run a program in a node, by the engine; `CommandError` where it fails."""
        options = () if stdin is None else ("--interactive",)
        return self.run(
            "exec", *options, node, *arguments, timeout_s=timeout_s, check=check, stdin=stdin
        )

    def container(self, name: str) -> Container | None:
        """Return the container of that name, or None."""
        done = self.run("container", "inspect", name, timeout_s=_ANSWER_S, check=False)
        if done.returncode != 0:
            return None
        inspected = json.loads(done.stdout)[0]
        state = inspected["State"]
        return Container(inspected["Id"], bool(state["Running"]), state["StartedAt"])

    def has_image(self, reference: str) -> bool:
        """Return whether the engine holds an image."""
        return self.run("image", "inspect", reference, check=False).returncode == 0

    def image_label(self, reference: str, label: str) -> str | None:
        """Return a label of an image; None where there is no such image or label."""
        template = f'{{{{index .Config.Labels "{label}"}}}}'
        done = self.run("image", "inspect", "--format", template, reference, check=False)
        return done.stdout.strip() or None if done.returncode == 0 else None

    def save(self, image: str, archive: Path, timeout_s: float) -> None:
        """Write an image into an archive; of an image of several platforms, the one that this machine runs.

        Docker's store of images has been containerd's since version 29: an image pulled there stands for all its
        platforms though only one is here, and what `docker save` writes of it kind cannot load. Podman has no such
        option, nor has a Docker whose API is older than 1.48.

        Raises
        ------
        CommandError
            There is no such image, or no place for it.

        Source: https://docs.docker.com/reference/cli/docker/image/save/#platform
        """
        platform = self._platform(image) if self._saves_a_platform() else None
        option = ("--platform", platform) if platform else ()
        self.run("image", "save", *option, "--output", str(archive), image, timeout_s=timeout_s)

    def _saves_a_platform(self) -> bool:
        """Return whether client and server, which agree on an API, both know `image save --platform`."""
        if self.command != "docker":
            return False
        done = self.run("version", "--format", "{{.Client.APIVersion}}", check=False)
        major, _, minor = done.stdout.strip().partition(".")
        return major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= _SAVES_A_PLATFORM

    def _platform(self, image: str) -> str | None:
        template = "{{.Os}}/{{.Architecture}}{{with .Variant}}/{{.}}{{end}}"
        done = self.run("image", "inspect", "--format", template, image, check=False)
        return done.stdout.strip() or None if done.returncode == 0 else None


def find_engine() -> str | None:
    """Return the command of an engine that answers, or None."""
    try:
        return require_engine().command
    except EngineError:
        return None


def require_engine() -> Engine:
    """Return the engine that answers: the one that `KIND_EXPERIMENTAL_PROVIDER` names, or Docker, or Podman.

    Raises
    ------
    EngineError
        None is installed, or none answers; says why.
    """
    wish = os.environ.get(_VARIABLE)
    tried = "Trouver un moteur de conteneurs (Docker ou Podman)"
    candidates = [wish] if wish else list(COMMANDS)
    installed = [name for name in candidates if shutil.which(name) is not None]
    if not installed:
        raise EngineError(
            tried,
            f"aucune commande {' ni '.join(candidates)} sur cette machine",
            f"Installez Docker (https://docs.docker.com/engine/install) {_OR_EMBEDDED}",
        )
    failures = []
    for name in installed:
        try:
            done = run([name, "info", "--format", "{{json .}}"], timeout_s=_ANSWER_S)
            return _engine(name, json.loads(done.stdout))
        except CommandError as error:
            failures.append(_silence(tried, name, error))
        except (ValueError, KeyError) as error:
            reason = f"« {name} info » répond autre chose que prévu ({error!r})"
            failures.append(EngineError(tried, reason, f"Mettez {name} à jour, {_OR_EMBEDDED}"))
    raise failures[0]


def _engine(name: str, info: Mapping[str, Any]) -> Engine:
    if name == "podman":
        host = info["host"]
        old = str(host.get("cgroupVersion", "v2")) == "v1"
        return Engine(name, info["version"]["Version"], old, info["store"]["graphRoot"])
    if not info.get("ServerVersion"):  # docker info exits with 0 where some errors are only listed
        raise CommandError(
            [name, "info"], 0, "", "; ".join(info.get("ServerErrors") or ["aucun serveur"])
        )
    return Engine(
        name, info["ServerVersion"], str(info.get("CgroupVersion")) == "1", info["DockerRootDir"]
    )


def _silence(tried: str, name: str, error: CommandError) -> EngineError:
    """Say why an installed engine does not answer."""
    text = f"{error.stderr} {error.found}"
    if "permission denied" in text.lower():
        return EngineError(
            tried,
            f"{name} est en marche, mais vous n’avez pas le droit de lui parler",
            "Ajoutez-vous à son groupe (« sudo usermod -aG docker $USER »), puis rouvrez votre session, "
            + _OR_EMBEDDED,
        )
    if error.returncode is None:
        reason = f"{name} ne répond pas : {error.found}"
    else:
        reason = f"{name} est installé, mais son serveur est arrêté ({error.found.splitlines()[-1].strip()})"
    return EngineError(
        tried,
        reason,
        f"Démarrez-le (« sudo systemctl start {name} », ou Docker Desktop), {_OR_EMBEDDED}",
    )


def thaw(container_id: str, root: Path = FREEZER) -> int:
    """Thaw every frozen group below a container's own; return how many there were.

    With the old cgroups, a container that is just starting when its node is stopped can stay frozen by runc for ever:
    the kernel then keeps SIGKILL waiting, and the engine gives up the node's removal.

    Parameters
    ----------
    container_id : str
        The engine's whole id of the container, which its cgroup's name contains.
    root : Path
        Where the freezer is mounted; nothing happens where it is not, or without the right to write.

    Source: `Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst` of the kernel
    """
    thawed = 0
    for group in root.glob(f"**/*{container_id}*"):
        for state in group.rglob(_STATE):
            try:
                if state.read_text().strip() != _THAWED:
                    state.write_text(_THAWED)
                    thawed += 1
            except OSError:
                continue
    return thawed
