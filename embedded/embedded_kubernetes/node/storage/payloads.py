"""The files of volumes that come from the API: configMap, secret, downwardAPI, projected.

(source: `pkg/volume/{configmap,secret,downwardapi,projected}`)
"""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ..api import ApiError
from ..environment.downward import FieldError, field
from ..environment.env import GetObject, resources_of
from ..records import Object
from ..rules.resources import field_value
from ..rules.restarts import RESYNC_S
from .atomic_writer import File
from .pod_certificates import Credential, NotIssuedError
from .tokens import Token

GetToken = Callable[[str, int], Awaitable[Token]]
"""Returns a token by audience and seconds of life."""

GetTrust = Callable[[Object], Awaitable[str | None]]
"""Returns the certificates that a `clusterTrustBundle` source stands for; None where there are none."""

GetCertificate = Callable[[str, int, Object], Awaitable[Credential]]
"""Returns the certificate of a `podCertificate` source by volume, index in it, and the source itself."""

_DEFAULT_MODE = 0o644
_TOKEN_LIFE_S = 3600
_KINDS = ("configMap", "secret", "downwardAPI", "projected")


class MountError(Exception):
    """A volume that cannot be set up: `FailedMount`."""


@dataclass(frozen=True)
class PayloadSources:
    """Where the files come from (see `env.EnvSources`)."""

    pod: Object
    pod_ip: str
    host_ip: str
    allocatable: Mapping[str, str]
    get: GetObject
    token: GetToken
    trust: GetTrust
    certificate: GetCertificate


@dataclass(frozen=True)
class Payload:
    """A volume's files, and when one of them should be made anew (wall clock; None for never)."""

    files: Mapping[str, File]
    renew_wall_s: float | None = None


def is_payload(volume: Object) -> bool:
    """Return whether a volume's files come from the API."""
    return any(kind in volume for kind in _KINDS)


def references(volume: Object) -> set[tuple[str, str]]:
    """Return what a volume shows of the API: (resource, name)."""
    names = set()
    if "configMap" in volume:
        names.add(("configmaps", volume["configMap"]["name"]))
    if "secret" in volume:
        names.add(("secrets", volume["secret"]["secretName"]))
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "configMap" in source:
            names.add(("configmaps", source["configMap"]["name"]))
        if "secret" in source:
            names.add(("secrets", source["secret"]["name"]))
    return names


async def payload(volume: Object, sources: PayloadSources) -> Payload:
    """Return the files of a volume.

    Raises
    ------
    MountError
        What it refers to is not there and not optional.
    """
    if "configMap" in volume:
        source = volume["configMap"]
        mode = source.get("defaultMode", _DEFAULT_MODE)
        return Payload(await _from_object("configmaps", source["name"], source, mode, sources))
    if "secret" in volume:
        source = volume["secret"]
        mode = source.get("defaultMode", _DEFAULT_MODE)
        return Payload(await _from_object("secrets", source["secretName"], source, mode, sources))
    if "downwardAPI" in volume:
        source = volume["downwardAPI"]
        return Payload(_downward(source, source.get("defaultMode", _DEFAULT_MODE), sources))
    return await _projected(volume["name"], volume["projected"], sources)


async def _projected(name: str, projected: Object, sources: PayloadSources) -> Payload:
    mode = projected.get("defaultMode", _DEFAULT_MODE)
    files: dict[str, File] = {}
    renewals = []
    for index, source in enumerate(projected.get("sources") or ()):
        if "configMap" in source:
            part = source["configMap"]
            files.update(await _from_object("configmaps", part["name"], part, mode, sources))
        elif "secret" in source:
            part = source["secret"]
            files.update(await _from_object("secrets", part["name"], part, mode, sources))
        elif "downwardAPI" in source:
            files.update(_downward(source["downwardAPI"], mode, sources))
        elif "serviceAccountToken" in source:
            part = source["serviceAccountToken"]
            life_s = part.get("expirationSeconds", _TOKEN_LIFE_S)
            try:
                token = await sources.token(part.get("audience", ""), life_s)
            except ApiError as error:
                raise MountError(f"failed to fetch token: {error}") from None
            files[part["path"]] = File(token.text.encode(), mode)
            renewals.append(token.renew_wall_s)
        elif "clusterTrustBundle" in source:
            part = source["clusterTrustBundle"]
            files[part["path"]] = File((await _trust(part, sources)).encode(), mode)
            renewals.append(time.time() + RESYNC_S)  # bundles are not watched
        elif "podCertificate" in source:
            part = source["podCertificate"]
            credential = await _certificate(name, index, part, sources)
            files.update(_of_credential(part, credential, mode))
            renewals.append(credential.renew_wall_s)
        else:
            raise MountError(f"projected source not available on this node: {', '.join(source)}")
    return Payload(files, min(renewals, default=None))


async def _certificate(
    volume: str, index: int, source: Object, sources: PayloadSources
) -> Credential:
    try:
        return await sources.certificate(volume, index, source)
    except (NotIssuedError, ApiError) as error:
        raise MountError(str(error)) from None


def _of_credential(source: Object, credential: Credential, mode: int) -> dict[str, File]:
    """Return the files that a `podCertificate` source asks for."""
    texts = {
        "credentialBundlePath": credential.key + credential.chain,
        "keyPath": credential.key,
        "certificateChainPath": credential.chain,
    }
    return {
        source[field]: File(text.encode(), mode)
        for field, text in texts.items()
        if source.get(field)
    }


async def _trust(source: Object, sources: PayloadSources) -> str:
    try:
        text = await sources.trust(source)
    except ApiError as error:
        raise MountError(f"failed to read ClusterTrustBundles: {error}") from None
    if text is None and not source.get("optional"):
        wanted = source.get("name") or f"signer {source.get('signerName')}"
        raise MountError(f'clustertrustbundle "{wanted}" not found')
    return text or ""


async def _from_object(
    resource: str, name: str, source: Object, mode: int, sources: PayloadSources
) -> dict[str, File]:
    item = await sources.get(resource, name)
    optional = source.get("optional", False)
    if item is None:
        if optional:
            return {}
        raise MountError(f'{resource.removesuffix("s")} "{name}" not found')
    data = raw_data(resource, item)
    chosen = source.get("items")
    if not chosen:
        return {key: File(content, mode) for key, content in data.items()}
    files = {}
    for entry in chosen:
        if entry["key"] not in data:
            if optional:
                continue
            words = {
                "configmaps": "configmap references non-existent config key",
                "secrets": "references non-existent secret key",
            }
            raise MountError(f"{words[resource]}: {entry['key']}")
        files[entry["path"]] = File(data[entry["key"]], entry.get("mode", mode))
    return files


def raw_data(resource: str, item: Object) -> dict[str, bytes]:
    """Return the data of a ConfigMap or Secret as bytes."""
    data = item.get("data") or {}
    if resource == "secrets":
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = item.get("binaryData") or {}
    return {
        **{key: value.encode() for key, value in data.items()},
        **{key: base64.b64decode(value) for key, value in binary.items()},
    }


def _downward(source: Object, mode: int, sources: PayloadSources) -> dict[str, File]:
    files = {}
    for entry in source.get("items") or ():
        try:
            if "fieldRef" in entry:
                path = entry["fieldRef"]["fieldPath"]
                text = field(sources.pod, path, sources.pod_ip, sources.host_ip)
            else:
                reference = entry["resourceFieldRef"]
                resources = resources_of(sources.pod, reference.get("containerName"), {})
                text = field_value(reference, resources, sources.allocatable)
        except (FieldError, ValueError) as error:
            raise MountError(str(error)) from None
        files[entry["path"]] = File(text.encode(), entry.get("mode", mode))
    return files
