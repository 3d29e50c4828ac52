"""Neighbour discovery for IPv6 (RFC 4861): the bodies behind the ICMPv6 checksum.

    NS  | reserved 4   | target 16 | options ...
    NA  | R S O flags 4 | target 16 | options ...
    RS  | reserved 4   | options ...
    RA  | hop limit, M O flags, lifetime 2 | reachable 4 | retrans 4 | options ...

An option is a type, a length in units of eight bytes, and its data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SOURCE_LINK_ADDRESS = 1
TARGET_LINK_ADDRESS = 2
PREFIX_INFORMATION = 3
MTU = 5
NONCE = 14

ROUTER = 0x80
SOLICITED = 0x40
OVERRIDE = 0x20

HOP_LIMIT = 255
"""Any other hop limit means that the message came through a router (section 7.1)."""

_ADVERTISEMENT = struct.Struct("!BBHII")


class Solicitation(NamedTuple):
    target: bytes
    source_mac: bytes | None
    nonce: bytes | None


class Advertisement(NamedTuple):
    flags: int
    target: bytes
    target_mac: bytes | None


class Prefix(NamedTuple):
    """A prefix information option (section 4.6.2); lifetimes in seconds."""

    length: int
    on_link: bool
    autonomous: bool
    valid_s: int
    preferred_s: int
    prefix: bytes


class RouterAdvertisement(NamedTuple):
    hop_limit: int
    flags: int
    lifetime_s: int
    source_mac: bytes | None
    mtu_bytes: int | None
    prefixes: tuple[Prefix, ...]


def options(data: bytes) -> Iterator[tuple[int, bytes]] | None:
    """The options as (type, data) pairs; None if any is cut off or has length zero."""
    found = []
    at = 0
    while at < len(data):
        size = data[at + 1] * 8 if at + 1 < len(data) else 0
        if size == 0 or at + size > len(data):
            return None
        found.append((data[at], data[at + 2 : at + size]))
        at += size
    return iter(found)


def option(kind: int, data: bytes) -> bytes:
    """One option; ``data`` fills 8n - 2 bytes."""
    return bytes((kind, (len(data) + 2) // 8)) + data


def parse_solicitation(body: bytes) -> Solicitation | None:
    """The body of an NS (section 4.3); a nonce rides along for enhanced DAD (RFC 7527)."""
    found = options(body[20:]) if len(body) >= 20 else None
    if found is None:
        return None
    mac = nonce = None
    for kind, data in found:
        if kind == SOURCE_LINK_ADDRESS:
            mac = data[:6]
        elif kind == NONCE:
            nonce = data
    return Solicitation(body[4:20], mac, nonce)


def parse_advertisement(body: bytes) -> Advertisement | None:
    """The body of an NA (section 4.4)."""
    found = options(body[20:]) if len(body) >= 20 else None
    if found is None:
        return None
    mac = next((data[:6] for kind, data in found if kind == TARGET_LINK_ADDRESS), None)
    return Advertisement(body[0], body[4:20], mac)


def parse_router_advertisement(body: bytes) -> RouterAdvertisement | None:
    """The body of an RA (section 4.2)."""
    found = options(body[12:]) if len(body) >= 12 else None
    if found is None:
        return None
    hop_limit, flags, lifetime, _reachable, _retrans = _ADVERTISEMENT.unpack_from(body)
    mac = mtu = None
    prefixes = []
    for kind, data in found:
        if kind == SOURCE_LINK_ADDRESS:
            mac = data[:6]
        elif kind == MTU and len(data) >= 6:
            mtu = int.from_bytes(data[2:6], "big")
        elif kind == PREFIX_INFORMATION and len(data) >= 30:
            length, bits = data[0], data[1]
            valid = int.from_bytes(data[2:6], "big")
            preferred = int.from_bytes(data[6:10], "big")
            prefixes.append(
                Prefix(length, bool(bits & 0x80), bool(bits & 0x40), valid, preferred, data[14:30])
            )
    return RouterAdvertisement(hop_limit, flags, lifetime, mac, mtu, tuple(prefixes))


def solicitation(target: bytes, source_mac: bytes | None, nonce: bytes | None = None) -> bytes:
    """The body of an NS. DAD sends it without the source's MAC."""
    body = bytes(4) + target
    if source_mac is not None:
        body += option(SOURCE_LINK_ADDRESS, source_mac)
    if nonce is not None:
        body += option(NONCE, nonce)
    return body


def advertisement(flags: int, target: bytes, target_mac: bytes | None) -> bytes:
    """The body of an NA."""
    body = bytes((flags, 0, 0, 0)) + target
    return body if target_mac is None else body + option(TARGET_LINK_ADDRESS, target_mac)


def router_solicitation(source_mac: bytes | None) -> bytes:
    """The body of an RS (section 4.1); no MAC when sent from the unspecified address."""
    return bytes(4) + (b"" if source_mac is None else option(SOURCE_LINK_ADDRESS, source_mac))
