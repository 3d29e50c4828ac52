"""ARP for IPv4 over Ethernet (RFC 826).

 0       2       4    5    6       8        14       18       24       28
| htype | ptype | hl | pl | oper  | sha    | spa    | tha    | tpa    |
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!HHBBH6s4s6s4s")
BYTES = _HEADER.size

REQUEST = 1
REPLY = 2

_ETHERNET = 1
_HARDWARE = (_ETHERNET, 6)
"""The other number means IEEE 802 networks; Linux takes the two for one."""


class Arp(NamedTuple):
    operation: int
    sender_mac: bytes
    sender_ip: bytes
    target_mac: bytes
    target_ip: bytes


def parse(data: bytes, offset: int = 0) -> Arp | None:
    """The packet at ``offset``; None unless it is whole and speaks IPv4 over Ethernet."""
    if len(data) < offset + BYTES:
        return None
    hardware, protocol, hardware_len, protocol_len, *rest = _HEADER.unpack_from(data, offset)
    if hardware not in _HARDWARE or (protocol, hardware_len, protocol_len) != (0x0800, 6, 4):
        return None
    return Arp(*rest)


def emit(packet: Arp) -> bytes:
    """The 28 bytes of ``packet``."""
    return _HEADER.pack(_ETHERNET, 0x0800, 6, 4, *packet)
