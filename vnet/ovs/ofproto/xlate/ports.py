"""What a port's state says about packets."""

from __future__ import annotations

from vnet.ovs.flow.flow import DL_TYPE_NONE, Flow
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.ports import came_by_tunnel
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.stacks import IP_ECN_MASK
from vnet.ovs.openflow.messages import PortConfig, PortState

_ECN_CE = 0x3
_MAC_STP = 0x0180_C200_0000


def is_stp(flow: Flow) -> bool:
    """Whether frames of a flow are BPDUs."""
    return flow.dl_type == DL_TYPE_NONE and flow.dl_dst == _MAC_STP


def may_receive(flow: Flow, port: OfPort) -> bool:
    """Whether the port's configuration lets the packet in, which has a bit of its own for BPDUs,
    and its place in a spanning tree: where a port only learns, the packet must be looked at.
    """
    if (PortConfig.NO_RECV_STP if is_stp(flow) else PortConfig.NO_RECV) in port.config:
        return False
    return port.tree.forwards or port.tree.learns


def take_over_congestion(flow: Flow) -> bool:
    """Tell the packet inside of congestion that its outer header met (RFC 6040 section 4.2); False
    where it cannot be told, and must not go on."""
    is_congested = came_by_tunnel(flow.key) and flow.tun_tos & IP_ECN_MASK == _ECN_CE
    if is_congested and is_ip(flow):
        if not flow.nw_tos & IP_ECN_MASK:
            return False
        flow.nw_tos |= _ECN_CE
    return True


def is_enabled(ctx: XlateCtx, number: OfpPort) -> bool:
    """Whether groups and bundles may choose a port: there is a link, and nothing speaks against
    it. That an administrator set the port down counts where it takes the link away.
    """
    port = ctx.bridge.ports.get(number)
    return port is not None and port.may_enable and PortState.LINK_DOWN not in port.state
