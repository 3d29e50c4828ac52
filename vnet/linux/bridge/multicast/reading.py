"""What a multicast frame is to a bridge that listens in: a message of IGMP or MLD, or traffic.

As strict as the kernel is (ip_mc_check_igmp, ipv6_mc_check_mld): a frame to a group whose IP
header, checksum or message cannot be right goes nowhere, be it traffic or a report.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from vnet.base.ids import is_link_local_ip6
from vnet.wire import icmpv6, igmp, ipv4, ipv6
from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.ether import HEADER_BYTES
from vnet.wire.vlan import TPIDS

IPV4 = 4
IPV6 = 6
LAYER2 = 0
"""What a group's address is: of IPv4, of IPv6, or a MAC."""

ALL_HOSTS = b"\xe0\x00\x00\x01"
ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
_ALL_PIM_ROUTERS = b"\xe0\x00\x00\x0d"
_ALL_SNOOPERS_4 = b"\xe0\x00\x00\x6a"
_ALL_SNOOPERS_6 = b"\xff\x02" + bytes(13) + b"\x6a"
_LOCAL_PREFIX_4 = b"\xe0\x00\x00"

_TYPE_IPV4 = b"\x08\x00"
_TYPE_IPV6 = b"\x86\xdd"

_IGMP_BYTES = 8
_IGMP_V3_QUERY_BYTES = 12
_IGMP_ADVERTISEMENT = 0x30
_PIM = 103
_PIM_VERSION_HELLO = 0x20
_PIM_BYTES = 4

_ICMPV6_BYTES = 8
_MLD_BYTES = 24
_MLD_V2_QUERY_BYTES = 28
_MLD_REPORT_V2 = 143
_MLD_ADVERTISEMENT = 151


class Kind(Enum):
    """What a frame says."""

    TRAFFIC = auto()
    REPORT = auto()
    """Somebody listens to a group: IGMP version 1 or 2, MLD version 1."""
    RECORDS = auto()
    """A report of IGMP version 3 or MLD version 2."""
    LEAVE = auto()
    QUERY = auto()
    ROUTER = auto()
    """A multicast router makes itself known: PIM, or RFC 4286."""
    MALFORMED = auto()


class Reading(NamedTuple):
    """``target`` and ``source`` are those of the IP packet, or the MACs of another frame.

    ``message`` begins with the type of IGMP or ICMPv6. ``for_routers``: nobody but routers needs
    the frame where its group is not known.
    """

    kind: Kind
    family: int
    target: bytes
    source: bytes
    message: bytes = b""
    for_routers: bool = False

    @property
    def is_control(self) -> bool:
        """A message about groups: it is not for members of its own group."""
        return self.kind in _CONTROL


_CONTROL = frozenset((Kind.REPORT, Kind.RECORDS, Kind.LEAVE, Kind.QUERY))


def read(data: bytes) -> Reading:
    """A frame to a group MAC, with or without a VLAN tag."""
    at = HEADER_BYTES
    kind = data[12:14]
    if kind in TPIDS:
        kind, at = data[16:18], at + 4
    if kind == _TYPE_IPV4:
        return _read_ipv4(data[at:])
    if kind == _TYPE_IPV6:
        return _read_ipv6(data[at:])
    return Reading(Kind.TRAFFIC, LAYER2, data[0:6], data[6:12])


def is_local_ipv4(group: bytes) -> bool:
    """224.0.0.x, which is flooded always and never joined."""
    return group[0:3] == _LOCAL_PREFIX_4


def _read_ipv4(packet: bytes) -> Reading:
    header = ipv4.parse(packet)
    if header is None:
        return Reading(Kind.MALFORMED, IPV4, b"", b"")
    target, source = header.target, header.source
    is_local = is_local_ipv4(target)
    message = header.payload
    kind = Kind.TRAFFIC
    if header.protocol == ipv4.IGMP:
        kind = _igmp_kind(message, target)
    elif header.protocol == _PIM and target == _ALL_PIM_ROUTERS and _is_pim_hello(message):
        kind = Kind.ROUTER
    for_routers = kind is Kind.REPORT or (kind is Kind.TRAFFIC and not is_local)
    return Reading(kind, IPV4, target, source, message, for_routers)


def _is_pim_hello(message: bytes) -> bool:
    return len(message) >= _PIM_BYTES and message[0] == _PIM_VERSION_HELLO


def _igmp_kind(message: bytes, target: bytes) -> Kind:
    if len(message) < _IGMP_BYTES or checksum(message) != 0:
        return Kind.MALFORMED
    match message[0]:
        case igmp.REPORT_V1 | igmp.REPORT_V2:
            return Kind.REPORT
        case igmp.REPORT_V3:
            return Kind.RECORDS
        case igmp.LEAVE:
            return Kind.LEAVE
        case igmp.QUERY:
            has_length = len(message) == _IGMP_BYTES or len(message) >= _IGMP_V3_QUERY_BYTES
            is_astray = not any(message[4:8]) and target != ALL_HOSTS
            return Kind.QUERY if has_length and not is_astray else Kind.MALFORMED
    if message[0] == _IGMP_ADVERTISEMENT and target == _ALL_SNOOPERS_4:
        return Kind.ROUTER
    return Kind.TRAFFIC


def _read_ipv6(packet: bytes) -> Reading:
    header = ipv6.parse(packet)
    if header is None or not header.payload:
        return Reading(Kind.MALFORMED, IPV6, b"", b"")
    kind, message = Kind.TRAFFIC, b""
    # MLD has a router alert, so nothing without hop-by-hop options can be of it.
    if header.next_header == ipv6.HOP_BY_HOP:
        upper = ipv6.upper_layer(header)
        if upper is None:
            return Reading(Kind.MALFORMED, IPV6, b"", b"")
        if upper.protocol == icmpv6.PROTOCOL and upper.fragment is None:
            message = upper.payload
            kind = _mld_kind(header, message)
    for_routers = kind is Kind.REPORT or (
        kind in (Kind.TRAFFIC, Kind.ROUTER) and header.target != ALL_NODES
    )
    return Reading(kind, IPV6, header.target, header.source, message, for_routers)


def _mld_kind(header: ipv6.Ipv6, message: bytes) -> Kind:
    if len(message) < _ICMPV6_BYTES:
        return Kind.MALFORMED
    if transport_checksum(header.source, header.target, icmpv6.PROTOCOL, message) != 0:
        return Kind.MALFORMED
    if message[0] == _MLD_ADVERTISEMENT and header.target == _ALL_SNOOPERS_6:
        return Kind.ROUTER
    if len(message) < _MLD_BYTES:
        return Kind.TRAFFIC
    match message[0]:
        case icmpv6.MLD_REPORT:
            return Kind.REPORT
        case icmpv6.MLD_DONE:
            return Kind.LEAVE
        case icmpv6.MLD_QUERY:
            return Kind.QUERY if _is_query(header, message) else Kind.MALFORMED
    if message[0] == _MLD_REPORT_V2:
        return Kind.RECORDS
    return Kind.TRAFFIC


def _is_query(header: ipv6.Ipv6, message: bytes) -> bool:
    has_length = len(message) == _MLD_BYTES or len(message) >= _MLD_V2_QUERY_BYTES
    is_astray = not any(message[8:24]) and header.target != ALL_NODES
    return has_length and is_link_local_ip6(header.source) and not is_astray
