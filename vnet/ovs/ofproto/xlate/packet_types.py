"""Packet types: what a packet starts with, a namespace (16 bits) and a type in it (16 bits).

OpenFlow 1.5 section 7.2.3.11. Type 0, an Ethernet frame, is what nearly every packet is.
"""

from __future__ import annotations

from vnet.ovs.flow.protocol_numbers import PT_NAMESPACE_ETHERTYPE

PT_IPV4 = 0x1_0800
PT_IPV6 = 0x1_86DD
PT_MPLS = 0x1_8847
PT_MPLS_MC = 0x1_8848
PT_NSH = 0x1_894F

NSH_MD_TYPE1 = 1
NSH_MD_TYPE2 = 2


def namespace(packet_type: int) -> int:
    """The namespace that a type belongs to."""
    return packet_type >> 16


def type_in_namespace(packet_type: int) -> int:
    """The type within its namespace: an EtherType in :data:`PT_NAMESPACE_ETHERTYPE`."""
    return packet_type & 0xFFFF


def of_ethertype(ethertype: int) -> int:
    """The type of a packet that starts with what this EtherType announces."""
    return PT_NAMESPACE_ETHERTYPE << 16 | ethertype
