"""Numbers on the wire by which a flow's shape is decided, beside those of ``vnet.wire``."""

from __future__ import annotations

ETH_TYPE_IP = 0x0800
ETH_TYPE_ARP = 0x0806
ETH_TYPE_RARP = 0x8035
ETH_TYPE_VLAN_8021Q = 0x8100
ETH_TYPE_IPV6 = 0x86DD
ETH_TYPE_MPLS = 0x8847
ETH_TYPE_MPLS_MCAST = 0x8848
ETH_TYPE_VLAN_8021AD = 0x88A8
ETH_TYPE_PBB = 0x88E7
ETH_TYPE_NSH = 0x894F

IPPROTO_ICMP = 1
IPPROTO_IGMP = 2
IPPROTO_IPIP = 4
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_IPV6 = 41
IPPROTO_ICMPV6 = 58
IPPROTO_SCTP = 132

ND_NEIGHBOR_SOLICIT = 135
ND_NEIGHBOR_ADVERT = 136

PT_ETHERNET = 0
"""``packet_type`` of packets that begin with an Ethernet header."""
PT_NAMESPACE_ETHERTYPE = 1
"""Upper half of ``packet_type`` where the lower one is an EtherType."""

CS_NEW = 0x01
CS_ESTABLISHED = 0x02
CS_RELATED = 0x04
CS_REPLY_DIR = 0x08
CS_INVALID = 0x10
CS_TRACKED = 0x20
CS_SRC_NAT = 0x40
CS_DST_NAT = 0x80
