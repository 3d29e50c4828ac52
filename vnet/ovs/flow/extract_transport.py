"""The transport part of a flow: what stands behind an IP header, by its protocol number.

One table for IPv4 and IPv6: the switch reads ICMP behind IPv6 and ICMPv6 behind IPv4, too. A
header that is cut short leaves its members 0.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.protocol_numbers import (
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IGMP,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
)

_TP_SRC = Flow.tp_src.shift
_TP_DST = Flow.tp_dst.shift
_TCP_FLAGS = Flow.tcp_flags.shift
_ARP_SHA = Flow.arp_sha.shift
_ARP_THA = Flow.arp_tha.shift
_ND_TARGET = Flow.nd_target.shift
_IGMP_GROUP = Flow.igmp_group_ip4.shift

TCP_FLAGS_MASK = 0x0FFF
"""The flags and the reserved bits beside them; the data offset is none of the flow's business."""

_TCP_HEADER_BYTES = 20
_UDP_HEADER_BYTES = 8
_SCTP_HEADER_BYTES = 12
_ICMP_HEADER_BYTES = 8
_IGMP_HEADER_BYTES = 8

_ND_TARGET_BYTES = 16
_ND_OPTION_UNIT_BYTES = 8
_ND_OPTION_SOURCE_LINK_ADDRESS = 1
_ND_OPTION_TARGET_LINK_ADDRESS = 2

TransportParser = Callable[[bytes, int, int], int]
"""Frame, where the transport header starts, where the IP payload ends: the bits of the flow."""


def _type_and_code(frame: bytes, start: int) -> int:
    return frame[start] << _TP_SRC | frame[start + 1] << _TP_DST


def _tcp(frame: bytes, start: int, end: int) -> int:
    size = end - start
    if size < _TCP_HEADER_BYTES:
        return 0
    header_bytes = frame[start + 12] >> 4 << 2
    if not _TCP_HEADER_BYTES <= header_bytes <= size:
        return 0
    flags = int.from_bytes(frame[start + 12 : start + 14], "big") & TCP_FLAGS_MASK
    return (flags << 32 | int.from_bytes(frame[start : start + 4], "big")) << _TP_DST


def _ports_if(header_bytes: int) -> TransportParser:
    """A parser of two port numbers, which asks for the whole header."""

    def ports(frame: bytes, start: int, end: int) -> int:
        if end - start < header_bytes:
            return 0
        return int.from_bytes(frame[start : start + 4], "big") << _TP_DST

    return ports


def _icmp(frame: bytes, start: int, end: int) -> int:
    return _type_and_code(frame, start) if end - start >= _ICMP_HEADER_BYTES else 0


def _igmp(frame: bytes, start: int, end: int) -> int:
    if end - start < _IGMP_HEADER_BYTES:
        return 0
    group = int.from_bytes(frame[start + 4 : start + 8], "big")
    return _type_and_code(frame, start) | group << _IGMP_GROUP


def _icmpv6(frame: bytes, start: int, end: int) -> int:
    if end - start < _ICMP_HEADER_BYTES:
        return 0
    bits = _type_and_code(frame, start)
    if frame[start] in (ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT) and frame[start + 1] == 0:
        bits |= _neighbor_discovery(frame, start, end)
    return bits


def _neighbor_discovery(frame: bytes, start: int, end: int) -> int:
    """Reserved word, target and the link-layer address options (RFC 4861 section 4.3, 4.4).

    An option that comes twice makes the message invalid: target and addresses read as 0 then,
    and the type of its first option stays.
    """
    reserved = int.from_bytes(frame[start + 4 : start + 8], "big") << _IGMP_GROUP
    options = start + 8 + _ND_TARGET_BYTES
    if options > end:
        return reserved
    target = int.from_bytes(frame[start + 8 : options], "big") << _ND_TARGET
    first_type = 0
    link_addresses = {_ND_OPTION_SOURCE_LINK_ADDRESS: 0, _ND_OPTION_TARGET_LINK_ADDRESS: 0}
    while end - options >= _ND_OPTION_UNIT_BYTES:
        option_type, units = frame[options], frame[options + 1]
        option_bytes = units * _ND_OPTION_UNIT_BYTES
        if not option_bytes or option_bytes > end - options:
            break
        if units == 1 and option_type in link_addresses:
            if link_addresses[option_type]:
                return reserved | first_type << _TCP_FLAGS
            link_addresses[option_type] = int.from_bytes(frame[options + 2 : options + 8], "big")
            first_type = first_type or option_type
        options += option_bytes
    return (
        reserved
        | target
        | first_type << _TCP_FLAGS
        | link_addresses[_ND_OPTION_SOURCE_LINK_ADDRESS] << _ARP_SHA
        | link_addresses[_ND_OPTION_TARGET_LINK_ADDRESS] << _ARP_THA
    )


def unread_transport(_frame: bytes, _start: int, _end: int) -> int:
    """For the protocols that a flow does not look into."""
    return 0


TRANSPORT: dict[int, TransportParser] = {
    IPPROTO_ICMP: _icmp,
    IPPROTO_IGMP: _igmp,
    IPPROTO_TCP: _tcp,
    IPPROTO_UDP: _ports_if(_UDP_HEADER_BYTES),
    IPPROTO_ICMPV6: _icmpv6,
    IPPROTO_SCTP: _ports_if(_SCTP_HEADER_BYTES),
}
