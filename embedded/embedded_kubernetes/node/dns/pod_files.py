"""The files of a pod that its programs find names by: `/etc/hosts` and `/etc/resolv.conf`, as a kubelet writes them.

(source: `managedHostsFileContent` and `nodeHostsFileContent` of `pkg/kubelet/kubelet_pods.go`)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from .answers import DOMAIN
from .resolver import machine_file, of_pod, read

HOSTS = "hosts"
RESOLV_CONF = "resolv.conf"
"""Names of the files in a pod's folder."""
_HEAD = "# Kubernetes-managed hosts file.\n"
_HEAD_OF_THE_HOST = "# Kubernetes-managed hosts file (host network).\n"
_LOOPBACK = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
_MACHINE_HOSTS = Path("/etc/hosts")
_LONGEST_HOSTNAME = 63


def hosts(pod: dict[str, Any], address: str, machine_hosts: str) -> str:
    """Return a pod's hosts file.

    Parameters
    ----------
    pod : dict
        The pod.
    address : str
        The pod's address.
    machine_hosts : str
        This machine's own hosts file, which pods in the host's network see.
    """
    spec = pod["spec"]
    if spec.get("hostNetwork"):
        text = _HEAD_OF_THE_HOST + machine_hosts
    else:
        name, domain = hostname_and_domain(pod)
        own = f"{name}.{domain}\t{name}" if domain else name
        text = f"{_HEAD}{_LOOPBACK}{address}\t{own}\n"
    aliases = spec.get("hostAliases") or ()
    if aliases:
        text += "\n# Entries added by HostAliases.\n"
    names = ("\t".join((alias["ip"], *(alias.get("hostnames") or ()))) for alias in aliases)
    return text + "".join(f"{line}\n" for line in names)


def hostname_and_domain(pod: dict[str, Any]) -> tuple[str, str]:
    """Return a pod's host name and its domain ("" for none), as `GeneratePodHostNameAndDomain` has them."""
    spec, meta = pod["spec"], pod["metadata"]
    override = spec.get("hostnameOverride")
    name: str = override or spec.get("hostname") or meta["name"]
    subdomain = "" if override else spec.get("subdomain")
    domain = f"{subdomain}.{meta['namespace']}.svc.{DOMAIN}" if subdomain else ""
    return name[:_LONGEST_HOSTNAME].rstrip("-."), domain


class NameFiles(Protocol):
    """Who writes the files of pods."""

    def write(self, pod: dict[str, Any], address: str, folder: Path) -> tuple[str, ...]:
        """Write a pod's files into its folder; return what it cannot have of what it asks for, for events."""

    def forget(self, pod_uid: str) -> None:
        """Write a pod's files no more."""


class PodFiles:
    """Writes the files of pods that have a network of their own: once, as names are asked of the cluster's DNS.

    Parameters
    ----------
    cluster_dns : str
        Where the cluster's DNS answers.
    """

    def __init__(self, cluster_dns: str) -> None:
        self._cluster_dns = cluster_dns

    def write(self, pod: dict[str, Any], address: str, folder: Path) -> tuple[str, ...]:
        """Write `hosts` and `resolv.conf` (see `NameFiles`)."""
        config, messages = of_pod(pod, read(machine_file()), self._cluster_dns)
        _write(folder / HOSTS, hosts(pod, address, _machine_hosts()))
        _write(folder / RESOLV_CONF, config.render())
        return messages

    def forget(self, pod_uid: str) -> None:
        """Do nothing: nothing is kept."""


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


def _machine_hosts() -> str:
    try:
        return _MACHINE_HOSTS.read_text(errors="replace")
    except OSError:
        return ""
