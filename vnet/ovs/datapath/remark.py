"""Remarking: what is over a meter's rate may be dropped rather than other packets, further on.

OpenFlow 1.3.5, section 5.7.1. The assured forwarding classes have three levels of drop precedence
each (RFC 2597, section 6); other DSCPs have none and stay as they are.
"""

from __future__ import annotations

from vnet.ovs.datapath.edit.parts import EDITORS
from vnet.ovs.datapath.packet import Packet
from vnet.ovs.dpif.actions import KeyPart
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_IPV6

_PARTS = {ETH_TYPE_IP: KeyPart.IPV4, ETH_TYPE_IPV6: KeyPart.IPV6}
_DSCP_SHIFT = 2
_DSCP_MASK = Flow.nw_tos.set(0, 0b111111 << _DSCP_SHIFT)
_CLASSES = range(1, 5)
_HIGHEST_PRECEDENCE = 3


def remarked(dscp: int, n_levels: int) -> int:
    """A DSCP whose drop precedence is so many levels higher, or the highest there is."""
    service_class, precedence = dscp >> 3, dscp >> 1 & 0b11
    if service_class not in _CLASSES or not precedence or dscp & 1:
        return dscp
    return service_class << 3 | min(precedence + n_levels, _HIGHEST_PRECEDENCE) << 1


def remark(packet: Packet, n_levels: int) -> None:
    """Raise the drop precedence of a packet, if it is one of IP that has any."""
    key = extract(packet.data, packet_type=packet.packet_type, vlan_limit=packet.vlan_limit)
    part = _PARTS.get(Flow.dl_type.of(key))
    if part is None:
        return
    dscp = Flow.nw_tos.of(key) >> _DSCP_SHIFT
    value = Flow.nw_tos.set(0, remarked(dscp, n_levels) << _DSCP_SHIFT)
    edit = EDITORS[part](value, _DSCP_MASK, packet.layout)
    if edit is not None:
        packet.data = edit(packet.data, packet.padding_bytes)
        if packet.connection is not None:
            packet.connection.forget_conn()
