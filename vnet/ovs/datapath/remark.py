"""Remarking: what is over a meter's rate may be dropped rather than other packets, further on.

OpenFlow 1.3.5, section 5.7.1. The assured forwarding classes have three levels of drop precedence
each (RFC 2597, section 6); other DSCPs have none and stay as they are.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

from vnet.ovs.datapath.edit.checksums import change_of, put, updated
from vnet.ovs.datapath.encap import VLAN_TYPES
from vnet.ovs.datapath.packet import Packet

_CLASSES = range(1, 5)
_HIGHEST_PRECEDENCE = 3

_TYPE_IPV4 = b"\x08\x00"
_TYPE_IPV6 = b"\x86\xdd"
_LEAST_TYPE = b"\x06\x00"
"""What is less is a length."""
_ETHERNET_BYTES = 14
_IPV4_BYTES = 20
_IPV6_BYTES = 40
_WORD = Struct("!H")
_CHECKSUM_AT = 10


def remarked(dscp: int, n_levels: int) -> int:
    """A DSCP whose drop precedence is so many levels higher, or the highest there is."""
    service_class, precedence = dscp >> 3, dscp >> 1 & 0b11
    if service_class not in _CLASSES or not precedence or dscp & 1:
        return dscp
    return service_class << 3 | min(precedence + n_levels, _HIGHEST_PRECEDENCE) << 1


@lru_cache(maxsize=1024)
def _remarked_class(traffic_class: int, n_levels: int) -> int:
    """The byte that has the DSCP above the two bits of ECN."""
    return remarked(traffic_class >> 2, n_levels) << 2 | traffic_class & 0b11


def remark(packet: Packet, n_levels: int) -> None:
    """Raise the drop precedence of a packet, if it is one of IP that has any."""
    data = packet.data
    ethertype, l3 = data[12:_ETHERNET_BYTES], _ETHERNET_BYTES
    if packet.packet_type or ethertype in VLAN_TYPES or ethertype < _LEAST_TYPE:
        layout = packet.layout
        if layout.l2_5 is not None or layout.l3 is None:
            return
        l3 = layout.l3
        ethertype = data[l3 - 2 : l3] if l3 else (packet.packet_type & 0xFFFF).to_bytes(2, "big")
    changed = data
    if ethertype == _TYPE_IPV4:
        changed = _remark_ipv4(data, l3, n_levels)
    elif ethertype == _TYPE_IPV6:
        changed = _remark_ipv6(data, l3, n_levels)
    if changed is not data:
        packet.data = changed
        if packet.connection is not None:
            packet.connection.forget_conn()


def _remark_ipv4(data: bytes, l3: int, n_levels: int) -> bytes:
    if len(data) < l3 + _IPV4_BYTES:
        return data
    before = data[l3 + 1]
    after = _remarked_class(before, n_levels)
    if after == before:
        return data
    at = l3 + _CHECKSUM_AT
    checksum = updated(_WORD.unpack_from(data, at)[0], change_of(before, after, 16))
    head = data[: l3 + 1] + bytes((after,)) + data[l3 + 2 : at]
    return head + _WORD.pack(checksum) + data[at + 2 :]


def _remark_ipv6(data: bytes, l3: int, n_levels: int) -> bytes:
    if len(data) < l3 + _IPV6_BYTES:
        return data
    (word,) = _WORD.unpack_from(data, l3)
    before = word >> 4 & 0xFF
    after = _remarked_class(before, n_levels)
    if after == before:
        return data
    return put(data, l3, _WORD.pack(word & 0xF00F | after << 4))
