"""Which part of a packet is written by whom."""

from __future__ import annotations

from vnet.ovs.datapath.edit.ethernet import edit_ethernet, edit_ethertype
from vnet.ovs.datapath.edit.ipv4 import edit_ipv4
from vnet.ovs.datapath.edit.ipv6 import edit_ipv6
from vnet.ovs.datapath.edit.layout import Editor
from vnet.ovs.datapath.edit.neighbor import edit_arp, edit_nd, edit_nd_extensions
from vnet.ovs.datapath.edit.protocol import edit_protocol
from vnet.ovs.datapath.edit.shim import edit_mpls, edit_nsh, edit_pbb
from vnet.ovs.datapath.edit.transport import edit_icmp, edit_sctp, edit_tcp, edit_udp
from vnet.ovs.dpif.actions import KeyPart

EDITORS: dict[KeyPart, Editor] = {
    KeyPart.ETHERNET: edit_ethernet,
    KeyPart.ETHERTYPE: edit_ethertype,
    KeyPart.IPV4: edit_ipv4,
    KeyPart.IPV6: edit_ipv6,
    KeyPart.TCP: edit_tcp,
    KeyPart.UDP: edit_udp,
    KeyPart.SCTP: edit_sctp,
    KeyPart.ICMP: edit_icmp,
    KeyPart.ICMPV6: edit_icmp,
    KeyPart.ARP: edit_arp,
    KeyPart.ND: edit_nd,
    KeyPart.ND_EXTENSIONS: edit_nd_extensions,
    KeyPart.MPLS: edit_mpls,
    KeyPart.PBB: edit_pbb,
    KeyPart.PROTOCOL: edit_protocol,
    KeyPart.NSH: edit_nsh,
}
"""Parts that are headers. ``set`` of any other writes what rides beside the frame."""
