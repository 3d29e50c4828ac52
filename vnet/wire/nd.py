"""Neighbour discovery for IPv6 (RFC 4861): the bodies behind the ICMPv6 checksum.

    NS        | reserved 4    | target 16 | options ...
    NA        | R S O flags 4 | target 16 | options ...
    redirect  | reserved 4    | target 16 | destination 16 | options ...

An option is a type, a length in units of eight bytes, and its data. Router discovery has the
same options and is in ``wire/ra.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SOURCE_LINK_ADDRESS = 1
TARGET_LINK_ADDRESS = 2
PREFIX_INFORMATION = 3
REDIRECTED_HEADER = 4
MTU = 5
NONCE = 14
ROUTE_INFORMATION = 24
RECURSIVE_DNS_SERVER, DNS_SEARCH_LIST = 25, 31

ROUTER = 0x80
SOLICITED = 0x40
OVERRIDE = 0x20

HOP_LIMIT = 255
"""Any other hop limit means that the message came through a router (section 7.1)."""

_MAC_BYTES = 6

Options = Sequence[tuple[int, bytes]]
"""The options of a message as (type, data) pairs."""


class LinkAddress(NamedTuple):
    """What a message says of a link-layer address; ``mac`` None: nothing."""

    mac: bytes | None


class Solicitation(NamedTuple):
    target: bytes
    source_mac: bytes | None
    nonce: bytes | None


class Advertisement(NamedTuple):
    flags: int
    target: bytes
    target_mac: bytes | None


class Redirect(NamedTuple):
    """``target`` is the better first hop to ``destination``, which may be itself.

    ``packet`` is the beginning of the packet that went the long way, None where it is not told.
    """

    target: bytes
    destination: bytes
    target_mac: bytes | None
    packet: bytes | None


def options(data: bytes) -> Options | None:
    """The options of a message; None if any is cut off or has length zero."""
    found = []
    at = 0
    while at < len(data):
        size = data[at + 1] * 8 if at + 1 < len(data) else 0
        if size == 0 or at + size > len(data):
            return None
        found.append((data[at], data[at + 2 : at + size]))
        at += size
    return found


def link_address(kind: int, found: Options) -> LinkAddress | None:
    """The first address option of a type; None if it is not of Ethernet's length."""
    mac = next((data for each, data in found if each == kind), None)
    if mac is not None and len(mac) != _MAC_BYTES:
        return None
    return LinkAddress(mac)


def option(kind: int, data: bytes) -> bytes:
    """One option; ``data`` fills 8n - 2 bytes."""
    return bytes((kind, (len(data) + 2) // 8)) + data


def parse_solicitation(body: bytes) -> Solicitation | None:
    """The body of an NS (section 4.3); a nonce rides along for enhanced DAD (RFC 7527)."""
    found = options(body[20:]) if len(body) >= 20 else None
    sender = None if found is None else link_address(SOURCE_LINK_ADDRESS, found)
    if found is None or sender is None:
        return None
    nonce = next((data for kind, data in found if kind == NONCE), None)
    return Solicitation(body[4:20], sender.mac, nonce)


def parse_advertisement(body: bytes) -> Advertisement | None:
    """The body of an NA (section 4.4)."""
    found = options(body[20:]) if len(body) >= 20 else None
    target = None if found is None else link_address(TARGET_LINK_ADDRESS, found)
    return None if target is None else Advertisement(body[0], body[4:20], target.mac)


def parse_redirect(body: bytes) -> Redirect | None:
    """The body of a redirect (section 4.5)."""
    found = options(body[36:]) if len(body) >= 36 else None
    target = None if found is None else link_address(TARGET_LINK_ADDRESS, found)
    if found is None or target is None:
        return None
    packet = next((data[6:] for kind, data in found if kind == REDIRECTED_HEADER), None)
    return Redirect(body[4:20], body[20:36], target.mac, packet)


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


def redirect(target: bytes, destination: bytes, target_mac: bytes | None, packet: bytes) -> bytes:
    """The body of a redirect; of ``packet`` it tells as many bytes as a multiple of eight has."""
    body = bytes(4) + target + destination
    if target_mac is not None:
        body += option(TARGET_LINK_ADDRESS, target_mac)
    return body + option(REDIRECTED_HEADER, bytes(6) + packet[: len(packet) & ~7])
