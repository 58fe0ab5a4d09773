"""A container's environment: the image's variables, Services, `envFrom`, `env`, and what the node adds.

(source: `makeEnvironmentVariables` of `pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/envvars/envvars.go`)
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..records import Object
from ..rules.resources import field_value
from .downward import FieldError, field
from .env_files import EnvFileError, value_of
from .expansion import expand, lookup_in

GetObject = Callable[[str, str], Awaitable[Object | None]]
"""Returns an object of the pod's namespace by resource ("configmaps", "secrets") and name."""

GetFile = Callable[[str, str], Path]
"""Returns a file by volume and path in it; `KeyError` where the pod has no such volume."""


class ConfigError(Exception):
    """The container's configuration cannot be made: `CreateContainerConfigError`."""


@dataclass(frozen=True)
class EnvSources:
    """Where a container's variables come from.

    Attributes
    ----------
    pod : dict
        The pod.
    pod_ip, host_ip : str
        Addresses that its programs can bind and reach.
    allocatable : mapping
        The node's.
    services : tuple of dict
        All Services that may be linked.
    get : callable
        Reads ConfigMaps and Secrets of its namespace.
    file : callable
        Returns where a path of one of the pod's volumes lies on the host.
    """

    pod: Object
    pod_ip: str
    host_ip: str
    allocatable: Mapping[str, str]
    services: tuple[Object, ...]
    get: GetObject
    file: GetFile


async def variables(container: Object, sources: EnvSources) -> dict[str, str]:
    """Return the variables that the manifest and the Services give a container.

    Raises
    ------
    ConfigError
        A ConfigMap, Secret or key that is not there and not optional.
    """
    from_services = service_variables(sources.services, sources.pod)
    values: dict[str, str] = {}
    for origin in container.get("envFrom") or ():
        values.update(await _from(origin, sources))
    for entry in container.get("env") or ():
        name = entry["name"]
        if entry.get("value"):
            values[name] = expand(entry["value"], lookup_in(values, from_services))
            continue
        value = await _value_from(entry.get("valueFrom"), container, sources)
        if value is not None:
            values[name] = value
    return {**from_services, **values}


async def _from(origin: Object, sources: EnvSources) -> dict[str, str]:
    prefix = origin.get("prefix", "")
    for key, resource, word in (
        ("configMapRef", "configmaps", "configmap"),
        ("secretRef", "secrets", "secret"),
    ):
        reference = origin.get(key)
        if reference is None:
            continue
        item = await sources.get(resource, reference["name"])
        if item is None:
            if reference.get("optional"):
                return {}
            raise ConfigError(f'{word} "{reference["name"]}" not found')
        return {f"{prefix}{name}": value for name, value in text_data(resource, item).items()}
    return {}


async def _value_from(origin: Object | None, container: Object, sources: EnvSources) -> str | None:
    """Return a variable's value; None where it is optional and not there."""
    if origin is None:
        return ""
    if "fieldRef" in origin:
        try:
            path = origin["fieldRef"]["fieldPath"]
            return field(sources.pod, path, sources.pod_ip, sources.host_ip)
        except FieldError as error:
            raise ConfigError(str(error)) from None
    if "resourceFieldRef" in origin:
        reference = origin["resourceFieldRef"]
        resources = resources_of(sources.pod, reference.get("containerName"), container)
        try:
            return field_value(reference, resources, sources.allocatable)
        except ValueError as error:
            raise ConfigError(str(error)) from None
    for key, resource, kind in (
        ("configMapKeyRef", "configmaps", "ConfigMap"),
        ("secretKeyRef", "secrets", "Secret"),
    ):
        if key in origin:
            return await _key(origin[key], resource, kind, sources)
    if "fileKeyRef" in origin:
        return _from_file(origin["fileKeyRef"], sources)
    raise ConfigError(f"unsupported source of a variable: {', '.join(origin)}")


async def _key(reference: Object, resource: str, kind: str, sources: EnvSources) -> str | None:
    name, key, optional = reference["name"], reference["key"], reference.get("optional")
    item = await sources.get(resource, name)
    if item is None:
        if optional:
            return None
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    data = text_data(resource, item)
    if key not in data:
        if optional:
            return None
        namespace = sources.pod["metadata"]["namespace"]
        raise ConfigError(f"couldn't find key {key} in {kind} {namespace}/{name}")
    return data[key]


def _from_file(reference: Object, sources: EnvSources) -> str | None:
    """Return what a file of a volume gives a variable; None where it is optional and the file does not name it.

    A file that is missing is an error even then.
    """
    volume, key = reference["volumeName"], reference["key"]
    try:
        path = sources.file(volume, reference["path"])
    except KeyError:
        raise ConfigError(f'cannot find the volume "{volume}" referenced by FileKeyRef') from None
    try:
        value = value_of(path.read_text(encoding="utf-8", errors="replace"), key)
    except (OSError, EnvFileError):
        raise ConfigError("couldn't parse env file") from None
    if value:
        return value
    if reference.get("optional"):
        return None
    raise ConfigError(f'environment variable key "{key}" not found in file "{path}"')


def resources_of(pod: Object, name: str | None, default: Object) -> Object:
    """Return the `resources` of a pod's container by name, or those of `default`."""
    if name:
        spec = pod["spec"]
        for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
            if container["name"] == name:
                resources: Object = container.get("resources") or {}
                return resources
    own: Object = default.get("resources") or {}
    return own


def text_data(resource: str, item: Object) -> dict[str, str]:
    """Return the data of a ConfigMap or Secret as text."""
    data = item.get("data") or {}
    if resource == "secrets":
        return {
            key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()
        }
    return dict(data)


def service_variables(services: Iterable[Object], pod: Object) -> dict[str, str]:
    """Return `X_SERVICE_HOST`, `X_SERVICE_PORT` … of the Services that a pod is linked with.

    Those of its namespace, unless `enableServiceLinks` is false, and always `default/kubernetes`.
    """
    namespace = pod["metadata"]["namespace"]
    links = pod["spec"].get("enableServiceLinks", True)
    values: dict[str, str] = {}
    for service in services:
        meta, spec = service["metadata"], service["spec"]
        if spec.get("clusterIP") in (None, "", "None") or not spec.get("ports"):
            continue
        master = (meta["namespace"], meta["name"]) == ("default", "kubernetes")
        if master or (links and meta["namespace"] == namespace):
            values.update(_links(meta["name"], spec["clusterIP"], spec["ports"]))
    return values


def _links(name: str, address: str, ports: list[Object]) -> dict[str, str]:
    prefix = _variable_name(name)
    values = {
        f"{prefix}_SERVICE_HOST": address,
        f"{prefix}_SERVICE_PORT": str(ports[0]["port"]),
    }
    for index, port in enumerate(ports):
        number, protocol = port["port"], port.get("protocol", "TCP")
        if port.get("name"):
            values[f"{prefix}_SERVICE_PORT_{_variable_name(port['name'])}"] = str(number)
        url = f"{protocol.lower()}://{address}:{number}"
        if index == 0:
            values[f"{prefix}_PORT"] = url
        base = f"{prefix}_PORT_{number}_{protocol}"
        values[base] = url
        values[f"{base}_PROTO"] = protocol.lower()
        values[f"{base}_PORT"] = str(number)
        values[f"{base}_ADDR"] = address
    return values


def _variable_name(name: str) -> str:
    return name.replace("-", "_").upper()
