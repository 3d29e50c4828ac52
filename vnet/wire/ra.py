"""Router discovery for IPv6 (RFC 4861 section 4.1 and 4.2): bodies behind the ICMPv6 checksum.

    RS  | reserved 4 | options ...
    RA  | hop limit 1 | flags 1 | lifetime 2 | reachable 4 | retrans 4 | options ...

Lifetimes are in seconds, the two timers of an RA in milliseconds; 0 stands for "not said".
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.wire import nd

MANAGED = 0x80
OTHER_CONFIGURATION = 0x40

PREFERENCE_MASK = 0x18
HIGH, MEDIUM, LOW = 0x08, 0x00, 0x18
"""Router preference (RFC 4191 section 2.1), where it stands among the flags. The fourth value,
0x10, is reserved and read as medium."""

FOREVER_S = 0xFFFFFFFF
"""The lifetime that never ends."""

_ON_LINK, _AUTONOMOUS = 0x80, 0x40

_HEADER = struct.Struct("!BBHII")
_PREFIX = struct.Struct("!BBIII16s")
_ROUTE = struct.Struct("!BBI")
_MTU = struct.Struct("!HI")


class Prefix(NamedTuple):
    """A prefix information option (RFC 4861 section 4.6.2)."""

    length: int
    on_link: bool
    autonomous: bool
    valid_s: int
    preferred_s: int
    prefix: bytes


class RouteInformation(NamedTuple):
    """A route information option (RFC 4191 section 2.3); ``preference`` as in an RA's flags."""

    length: int
    preference: int
    lifetime_s: int
    prefix: bytes


class NameServers(NamedTuple):
    """Whom hosts shall ask for names, and below which domains (RFC 8106)."""

    lifetime_s: int
    servers: tuple[bytes, ...] = ()
    search: tuple[str, ...] = ()


class RouterAdvertisement(NamedTuple):
    hop_limit: int
    flags: int
    lifetime_s: int
    reachable_ms: int
    retrans_ms: int
    prefixes: tuple[Prefix, ...] = ()
    mtu_bytes: int | None = None
    source_mac: bytes | None = None
    routes: tuple[RouteInformation, ...] = ()
    names: NameServers | None = None
    """Said by those who send; who reads leaves it to programs."""


def parse_solicitation(body: bytes) -> nd.LinkAddress | None:
    """The body of an RS; what it tells is its sender's MAC, if anything."""
    found = nd.options(body[4:]) if len(body) >= 4 else None
    return None if found is None else nd.link_address(nd.SOURCE_LINK_ADDRESS, found)


def solicitation(source_mac: bytes | None) -> bytes:
    """The body of an RS; no MAC when sent from the unspecified address."""
    return bytes(4) + _mac_option(source_mac)


def parse(body: bytes) -> RouterAdvertisement | None:
    """The body of an RA; options that make no sense by themselves are left out."""
    found = nd.options(body[12:]) if len(body) >= 12 else None
    sender = None if found is None else nd.link_address(nd.SOURCE_LINK_ADDRESS, found)
    if found is None or sender is None:
        return None
    mtus = [int.from_bytes(data[2:6], "big") for kind, data in found if kind == nd.MTU]
    prefixes = (_prefix(data) for kind, data in found if kind == nd.PREFIX_INFORMATION)
    routes = (_route(data) for kind, data in found if kind == nd.ROUTE_INFORMATION)
    hop_limit, flags, lifetime_s, reachable_ms, retrans_ms = _HEADER.unpack_from(body)
    return RouterAdvertisement(
        hop_limit,
        flags,
        lifetime_s,
        reachable_ms,
        retrans_ms,
        tuple(prefix for prefix in prefixes if prefix is not None),
        mtus[0] if mtus else None,
        sender.mac,
        tuple(route for route in routes if route is not None),
    )


def emit(advertisement: RouterAdvertisement) -> bytes:
    """The body of an RA: prefixes, MTU, the sender's MAC, name servers, further routes."""
    body = _HEADER.pack(*advertisement[:5])
    for prefix in advertisement.prefixes:
        bits = _ON_LINK * prefix.on_link | _AUTONOMOUS * prefix.autonomous
        fields = (prefix.length, bits, prefix.valid_s, prefix.preferred_s, 0, prefix.prefix)
        body += nd.option(nd.PREFIX_INFORMATION, _PREFIX.pack(*fields))
    if advertisement.mtu_bytes is not None:
        body += nd.option(nd.MTU, _MTU.pack(0, advertisement.mtu_bytes))
    body += _mac_option(advertisement.source_mac)
    if advertisement.names is not None:
        body += _name_options(advertisement.names)
    for route in advertisement.routes:
        # As much of the prefix as its length needs, in steps of eight bytes.
        kept = route.prefix[: -(-route.length // 64) * 8]
        head = _ROUTE.pack(route.length, route.preference, route.lifetime_s)
        body += nd.option(nd.ROUTE_INFORMATION, head + kept)
    return body


def _name_options(names: NameServers) -> bytes:
    """The search list, and then the servers, as dnsmasq has them."""
    head = _MTU.pack(0, names.lifetime_s)
    body = b""
    if names.search:
        labels = (label.encode() for name in names.search for label in (*name.split("."), ""))
        domains = b"".join(bytes((len(label),)) + label for label in labels)
        room = -(len(head) + 2 + len(domains)) % 8
        body += nd.option(nd.DNS_SEARCH_LIST, head + domains + bytes(room))
    if names.servers:
        body += nd.option(nd.RECURSIVE_DNS_SERVER, head + b"".join(names.servers))
    return body


def _mac_option(mac: bytes | None) -> bytes:
    return b"" if mac is None else nd.option(nd.SOURCE_LINK_ADDRESS, mac)


def _prefix(data: bytes) -> Prefix | None:
    if len(data) < _PREFIX.size:
        return None
    length, bits, valid_s, preferred_s, _reserved, prefix = _PREFIX.unpack_from(data)
    return Prefix(
        length, bool(bits & _ON_LINK), bool(bits & _AUTONOMOUS), valid_s, preferred_s, prefix
    )


def _route(data: bytes) -> RouteInformation | None:
    length, preference, lifetime_s = _ROUTE.unpack_from(data)
    kept = data[_ROUTE.size :]
    if length > 128 or len(kept) > 16 or len(kept) * 8 < length:
        return None
    return RouteInformation(length, preference & PREFERENCE_MASK, lifetime_s, kept.ljust(16, b"\0"))
