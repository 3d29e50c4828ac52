"""What headers tell each other, and the checksum that many of them share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.compare.cursor import Cursor
from vnet.compare.field import Field, exact, hexadecimal, loose
from vnet.wire.checksum import checksum, ones_complement_sum, pseudo_header_sum


class Packet(NamedTuple):
    """What an IP header says to what the packet carries.

    ``is_whole`` where all of that is at hand; it is not in a fragment, in the quotation of an
    ICMP error and in a frame that was captured in part.
    """

    source: bytes
    target: bytes
    protocol: int
    is_whole: bool
    is_fragment: bool = False


class Layers(NamedTuple):
    """The ways back up, for what stands inside: frames in tunnels, packets in errors."""

    ethernet: Callable[[Cursor], None]
    ipv4: Callable[[Cursor, Layers], None]
    ipv6: Callable[[Cursor, Layers], None]


def transport_checksum(name: str, cursor: Cursor, begin: int, packet: Packet, free: bytes) -> Field:
    """A checksum over pseudo-header and segment, which begins at ``begin``.

    One that holds is equal to any other that does. A card fills in what a kernel left to it:
    until then the sum of the pseudo-header stands there, and that holds as well.
    """
    stored = int.from_bytes(cursor.take(2), "big")
    if not packet.is_whole:
        return _unproved(name, stored, packet, free)
    segment = cursor.data[begin : cursor.end]
    pseudo = pseudo_header_sum(packet.source, packet.target, packet.protocol, len(segment))
    holds = checksum(segment, pseudo) == 0 or stored == pseudo
    return exact(name, "correct" if holds else "wrong")


def plain_checksum(name: str, cursor: Cursor, begin: int, packet: Packet, free: bytes) -> Field:
    """A checksum over the message alone, which begins at ``begin`` (ICMP, IGMP)."""
    stored = int.from_bytes(cursor.take(2), "big")
    if not packet.is_whole:
        return _unproved(name, stored, packet, free)
    holds = checksum(cursor.data[begin : cursor.end]) == 0
    return exact(name, "correct" if holds else "wrong")


def _unproved(name: str, stored: int, packet: Packet, free: bytes) -> Field:
    """A checksum of which a part is elsewhere.

    In a fragment it must be what it is, but for ``free``, whole words it covers that may be
    anything: added up, they give the same. A quotation's may be from before a card filled it in.
    """
    if not packet.is_fragment:
        return loose(name, stored, hexadecimal)
    return Field(name, stored, ones_complement_sum(free, stored) % 0xFFFF, None, hexadecimal)
