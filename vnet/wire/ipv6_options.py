"""The options of IPv6's hop-by-hop and destination headers (RFC 8200 section 4.2).

| type | length | data ... |        a type 0 stands alone: one byte of padding

The upper two bits of a type tell a node that does not know it what to do with the packet.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from vnet.wire import ipv6

PAD1, PADN = 0, 1
ROUTER_ALERT = 0x05
JUMBO_PAYLOAD = 0xC2

MLD_ALERT = 0
"""The router alert of multicast listener discovery."""

_MOST_PADDING = 7
"""More than this aligns nothing (RFC 4942 section 2.1.9.5)."""

_MOST_OPTIONS = 8
"""net.ipv6.max_hbh_opts_number and max_dst_opts_number: what Linux has patience for."""

_MOST_ORDINARY_BYTES = 0xFFFF


class Refusal(Enum):
    """What to do with a packet that has an option which cannot be honoured."""

    DISCARD = auto()  # say nothing
    FIELD = auto()  # report an erroneous field
    OPTION = auto()  # report an unknown option, whoever the packet was for
    OPTION_TO_ONE = auto()  # report it unless the packet was for a group


class Fault(NamedTuple):
    """``at`` is where the trouble is, in bytes from the beginning of the header."""

    refusal: Refusal
    at: int


_UNKNOWN = {
    0x40: Refusal.DISCARD,
    0x80: Refusal.OPTION,
    0xC0: Refusal.OPTION_TO_ONE,
}


def fault_in(header: bytes, *, hop_by_hop: bool, payload_bytes: int = 1) -> Fault | None:
    """The first option of a whole header for which a packet is refused, or None.

    ``payload_bytes`` is what the fixed header says of the packet's length.
    """
    at, padding, seen = 2, 0, 0
    while at < len(header):
        kind = header[at]
        size = 1 if kind == PAD1 else _size_of(header, at)
        if size == 0:
            return Fault(Refusal.DISCARD, at)
        if kind in (PAD1, PADN):
            padding += size
            if padding > _MOST_PADDING or any(header[at + 2 : at + size]):
                return Fault(Refusal.DISCARD, at)
        else:
            padding, seen = 0, seen + 1
            if seen > _MOST_OPTIONS:
                return Fault(Refusal.DISCARD, at)
            option = header[at : at + size]
            fault = _hop_by_hop(option, at, payload_bytes) if hop_by_hop else None
            fault = fault or _unknown(kind, at, hop_by_hop)
            if fault is not None:
                return fault
        at += size
    return None


def router_alert_of(packet: ipv6.Ipv6) -> int | None:
    """The value of a packet's router alert (RFC 2711), or None; its options are sound."""
    if packet.next_header != ipv6.HOP_BY_HOP:
        return None
    header, at = packet.payload[: packet.payload[1] * 8 + 8], 2
    while at < len(header):
        size = 1 if header[at] == PAD1 else _size_of(header, at)
        if size == 0:
            return None
        if header[at] == ROUTER_ALERT and size == 4:
            return header[at + 2] << 8 | header[at + 3]
        at += size
    return None


def _size_of(header: bytes, at: int) -> int:
    """How long the option at ``at`` is; 0 if the header ends before it does."""
    size = header[at + 1] + 2 if at + 1 < len(header) else 0
    return size if at + size <= len(header) else 0


def _unknown(kind: int, at: int, hop_by_hop: bool) -> Fault | None:
    if hop_by_hop and kind in (ROUTER_ALERT, JUMBO_PAYLOAD):
        return None
    refusal = _UNKNOWN.get(kind & 0xC0)
    return None if refusal is None else Fault(refusal, at)


def _hop_by_hop(option: bytes, at: int, payload_bytes: int) -> Fault | None:
    if option[0] == ROUTER_ALERT and len(option) != 4:
        return Fault(Refusal.DISCARD, at)
    if option[0] != JUMBO_PAYLOAD:
        return None
    if len(option) != 6 or at % 4 != 2:
        return Fault(Refusal.DISCARD, at)
    if int.from_bytes(option[2:], "big") <= _MOST_ORDINARY_BYTES:
        return Fault(Refusal.FIELD, at + 2)
    # No link here carries a packet as long as that.
    return Fault(Refusal.FIELD if payload_bytes else Refusal.DISCARD, at)
