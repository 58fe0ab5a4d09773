"""What the cluster's DNS answers to a question, as CoreDNS does with the Corefile of a kubeadm cluster.

That is `kubernetes cluster.local in-addr.arpa ip6.arpa`, with `pods insecure`, `ttl 30`, `fallthrough` for the reverse
zones and `loadbalance`. Pure: what the cluster has is given.
(source: https://github.com/kubernetes/dns/blob/master/docs/specification.md, CoreDNS `plugin/kubernetes`,
`plugin/backend_lookup.go`)
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass

from .wire import (
    Query,
    RecordType,
    ResourceRecord,
    Response,
    ResponseCode,
    address_record,
    authority_record,
    service_record,
    text_record,
)
from .zone import Zone, cluster_ips, is_headless

DOMAIN = "cluster.local"
TTL_S = 30
_VERSION = ("dns-version", "1.1.0")
"""Name and text of the record that says which version of the specification is followed."""
_NAME_SERVER = "ns.dns"
_NOT_OF_THE_SERVER = frozenset((RecordType.TXT, RecordType.PTR))
"""Types that CoreDNS looks up without thinking of the server's own name."""
_LONGEST_CHAIN = 10
_ADDRESSES = frozenset((RecordType.A, RecordType.AAAA))


class _NameError(Exception):
    """Nothing has that name."""


@dataclass(frozen=True)
class _NamedTarget:
    """One address, or one name elsewhere, that a name stands for.

    Attributes
    ----------
    host : str
        An address; with `external`, a name.
    port : int or None
        None where no port is known: no SRV record says it.
    owner : str
        The entry's own full name, which SRV records point to.
    """

    host: str
    port: int | None
    owner: str
    external: bool = False


def answer(zone: Zone, query: Query) -> Response | None:
    """Return what the cluster answers; None where the question is not the cluster's and has to be forwarded."""
    labels = query.name.lower().split(".")
    if labels[-2:] == DOMAIN.split("."):
        return _of_the_cluster(zone, query, labels[:-2])
    if query.record_type == RecordType.PTR and (address := _reversed(labels)) is not None:
        names = zone.names_of(address)
        records = tuple(
            ResourceRecord(query.name, RecordType.PTR, TTL_S, (f"{name}.{DOMAIN}",))
            for name in dict.fromkeys(names)
        )
        return Response(ResponseCode.NO_ERROR, records) if records else None
    return None


def can_only_be_ours(zone: Zone, name: str) -> bool:
    """Return whether a name has no place in the world's DNS: one label, or an unfinished name of this cluster.

    `nosuch`, `kubernetes.default` and `web.shop.svc` are asked for as they stand when all of a pod's search list has
    failed.
    """
    *front, last = name.lower().split(".")
    return bool(last) and (not front or last == "svc" or zone.has_namespace(last))


def balanced(records: tuple[ResourceRecord, ...]) -> tuple[ResourceRecord, ...]:
    """Return records with addresses in any order, after all others (`plugin/loadbalance`)."""
    addresses = [record for record in records if record.record_type in _ADDRESSES]
    if len(addresses) < 2:
        return records
    random.shuffle(addresses)
    return (*(record for record in records if record.record_type not in _ADDRESSES), *addresses)


def _of_the_cluster(zone: Zone, query: Query, labels: list[str]) -> Response:
    if query.record_type in (RecordType.AXFR, RecordType.IXFR):
        return Response(ResponseCode.REFUSED, authoritative=False)
    apex = ".".join(query.name.split(".")[len(labels) :])  # in the question's own letters
    authority = authority_record(
        apex, f"ns.dns.{apex}", f"hostmaster.{apex}", zone.modified_wall_s, TTL_S
    )
    try:
        response = _records(zone, query, labels, authority)
    except _NameError:
        return Response(ResponseCode.NAME_ERROR, authorities=(authority,))
    if not response.answers:
        return Response(ResponseCode.NO_ERROR, authorities=(authority,))
    return response


def _records(zone: Zone, query: Query, labels: list[str], authority: ResourceRecord) -> Response:
    """Return the records; none where the name has none of that type."""
    kind = query.record_type
    if labels == _NAME_SERVER.split(".") and kind not in _NOT_OF_THE_SERVER:
        own = (address_record(query.name, zone.address, TTL_S),)
        return Response(ResponseCode.NO_ERROR, own if kind == RecordType.A else ())
    match kind:
        case RecordType.A | RecordType.AAAA:
            records, elsewhere = _addresses(zone, query.name, kind, labels, ())
            return Response(ResponseCode.NO_ERROR, records, elsewhere=elsewhere)
        case RecordType.SRV:
            return _services(zone, query, labels)
        case RecordType.TXT:
            return _texts(zone, query, labels)
        case RecordType.CNAME:
            first = next(iter(_find(zone, labels)), None)
            aliases = () if first is None or not first.external else (_alias(query.name, first),)
            return Response(ResponseCode.NO_ERROR, aliases)
        case RecordType.SOA:
            # No other name is looked at: CoreDNS says « no data » of a name that does not exist as well.
            return Response(ResponseCode.NO_ERROR, () if labels else (authority,))
        case RecordType.NS if query.name == DOMAIN:  # in these letters only
            server = f"{_server_name(zone)}.{authority.owner}"
            records = (ResourceRecord(query.name, RecordType.NS, TTL_S, (server,)),)
            glue = address_record(server, zone.address, TTL_S)
            return Response(ResponseCode.NO_ERROR, records, additional=(glue,))
    list(_find(zone, labels))
    return Response(ResponseCode.NO_ERROR)


def _addresses(
    zone: Zone, name: str, record_type: int, labels: list[str], chain: tuple[ResourceRecord, ...]
) -> tuple[tuple[ResourceRecord, ...], str]:
    """Return the addresses of a name with the aliases that lead to them, and a name elsewhere that has more."""
    records: dict[ResourceRecord, None] = {}
    elsewhere = ""
    for entry in _find(zone, labels):
        if not entry.external:
            record = address_record(name, entry.host, TTL_S)
            if record.record_type == record_type:
                records[record] = None
            continue
        alias = _alias(name, entry)
        target = entry.host.lower()
        if target == name.lower() or alias in chain or len(chain) > _LONGEST_CHAIN:
            continue
        if not target.endswith(f".{DOMAIN}"):
            records[alias] = None
            elsewhere = entry.host
            continue
        inner = target.removesuffix(f".{DOMAIN}").split(".")
        try:
            more, elsewhere = _addresses(zone, entry.host, record_type, inner, (*chain, alias))
        except _NameError:
            continue
        records.update(dict.fromkeys((alias, *more) if more else ()))
    return tuple(records), elsewhere


def _services(zone: Zone, query: Query, labels: list[str]) -> Response:
    """Return SRV records, and the addresses of what they point to."""
    entries = [entry for entry in _find(zone, labels) if not entry.external]
    weight = max(1, 100 // len(entries)) if entries else 0
    targets: dict[ResourceRecord, None] = {}
    addresses: dict[ResourceRecord, None] = {}
    for entry in entries:
        if entry.port is not None:
            targets[service_record(query.name, weight, entry.port, entry.owner, TTL_S)] = None
            addresses[address_record(entry.owner, entry.host, TTL_S)] = None
    return Response(ResponseCode.NO_ERROR, tuple(targets), additional=tuple(addresses))


def _texts(zone: Zone, query: Query, labels: list[str]) -> Response:
    name, text = _VERSION
    if labels == [name]:
        return Response(ResponseCode.NO_ERROR, (text_record(query.name, text, TTL_S),))
    if not list(_find(zone, labels)):
        raise _NameError  # also of a name that others are below, which has no records of any type
    return Response(ResponseCode.NO_ERROR)


def _alias(name: str, entry: _NamedTarget) -> ResourceRecord:
    return ResourceRecord(name, RecordType.CNAME, TTL_S, (entry.host,))


def _server_name(zone: Zone) -> str:
    """Return the name of the Service of the cluster's DNS, as the server of the domain is called."""
    return next(iter(zone.names_of(zone.address)), _NAME_SERVER)


def _find(zone: Zone, labels: list[str]) -> Iterator[_NamedTarget]:
    """Return what a name (its labels below the domain) stands for; nothing for a name that only others are below.

    Raises
    ------
    _NameError
        Nothing has that name.
    """
    if not labels or labels in (["svc"], ["pod"]):
        return iter(())
    *front, kind = labels
    if kind not in ("svc", "pod") or len(front) > 4 or not zone.has_namespace(front[-1]):
        raise _NameError
    if len(front) == 1:
        return iter(())
    if kind == "pod":
        return iter((_pod(front[-2], front[-1]),))
    entries = list(_service(zone, front))
    if not entries:
        raise _NameError
    return iter(entries)


def _pod(label: str, namespace: str) -> _NamedTarget:
    """Return the address that a pod's name is made of, whether or not there is such a pod (`pods insecure`)."""
    is_ipv4 = label.count("-") == 3 and "--" not in label
    address = label.replace("-", "." if is_ipv4 else ":")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise _NameError from None
    return _NamedTarget(address, 0, f"{label}.{namespace}.pod.{DOMAIN}")


def _service(zone: Zone, front: list[str]) -> Iterator[_NamedTarget]:
    """Yield what a Service's name stands for; one label before it is an endpoint's, two are a port and its protocol."""
    *before, name, namespace = front
    service = zone.service((namespace, name))
    if service is None:
        return
    owner = f"{name}.{namespace}.svc.{DOMAIN}"
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        target = spec.get("externalName", "").rstrip(".")
        if not before and not _is_address(target):
            yield _NamedTarget(target, None, owner, external=True)
        return
    endpoint = before[0] if len(before) == 1 else ""
    port, protocol = (label.removeprefix("_") for label in before) if len(before) == 2 else ("", "")
    if is_headless(service) or endpoint:
        for other in zone.endpoints((namespace, name)):
            if endpoint in ("", other.label) and _fits(
                port, other.port_name, protocol, other.protocol
            ):
                yield _NamedTarget(other.address, other.port, f"{other.label}.{owner}")
        return
    for candidate in spec.get("ports") or ():
        if _fits(port, candidate.get("name") or "", protocol, candidate.get("protocol") or "TCP"):
            for address in cluster_ips(service):
                yield _NamedTarget(address, candidate["port"], owner)


def _fits(port: str, other_port: str, protocol: str, other_protocol: str) -> bool:
    return port in ("", other_port) and protocol in ("", other_protocol.lower())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _reversed(labels: list[str]) -> str | None:
    """Return the address of a name in one of the reverse zones, or None."""
    try:
        if labels[-2:] == ["in-addr", "arpa"]:
            return str(ipaddress.IPv4Address(".".join(labels[-3::-1])))
        if labels[-2:] == ["ip6", "arpa"] and len(labels) == 34:
            return str(ipaddress.IPv6Address(int("".join(labels[-3::-1]), 16)))
    except ValueError:
        return None
    return None
