"""Ethernet II (IEEE 802.3 clause 3) without padding or FCS, as Linux hands frames around.

     0           6           12      14
    | dst MAC   | src MAC   | type  | payload ...

A type below 0x0600 is an 802.3 length; what follows is then an LLC header.
"""

from __future__ import annotations

HEADER_BYTES = 14

_TAG_BYTES = 4

TYPE_IPV4 = 0x0800
TYPE_ARP = 0x0806
TYPE_VLAN = 0x8100
TYPE_IPV6 = 0x86DD
TYPE_QINQ = 0x88A8

RESERVED_PREFIX = b"\x01\x80\xc2\x00\x00"
"""01:80:C2:00:00:0X, the addresses a bridge must not forward (IEEE 802.1D table 7-10)."""


def frame(target: bytes, source: bytes, ether_type: int, payload: bytes) -> bytes:
    """Put an Ethernet header before ``payload``."""
    return target + source + ether_type.to_bytes(2, "big") + payload


def type_of(data: bytes) -> int:
    """The type/length field of a frame of at least 14 bytes."""
    return data[12] << 8 | data[13]


def payload_bytes(data: bytes) -> int:
    """How much of the MTU a frame uses: its length less the header and one VLAN tag."""
    if data[12:14] in (b"\x81\x00", b"\x88\xa8"):
        return len(data) - HEADER_BYTES - 4
    return len(data) - HEADER_BYTES


def is_forwardable(data: bytes, mtu_bytes: int) -> bool:
    """Whether Linux hands a frame to a device of ``mtu_bytes`` (is_skb_forwardable()).

    It leaves room for a VLAN tag beyond the MTU, whether the frame has one or not. The outermost
    tag of a frame that was received travels beside it, and takes none of that room.
    """
    return payload_bytes(data) <= mtu_bytes + _TAG_BYTES
