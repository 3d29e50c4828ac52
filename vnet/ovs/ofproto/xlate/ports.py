"""What a port's state says about packets."""

from __future__ import annotations

from vnet.ovs.flow.flow import DL_TYPE_NONE, Flow
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.ofport import OfPort
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.openflow.messages import PortConfig, PortState

_MAC_STP = 0x0180_C200_0000


def may_receive(flow: Flow, port: OfPort) -> bool:
    """Whether the port's configuration lets the packet in; spanning tree frames have a bit of
    their own.
    """
    is_stp = flow.dl_type == DL_TYPE_NONE and flow.dl_dst == _MAC_STP
    return not port.config & (PortConfig.NO_RECV_STP if is_stp else PortConfig.NO_RECV)


def is_enabled(ctx: XlateCtx, number: OfpPort) -> bool:
    """Whether groups and bundles may choose a port: there is a link, and nothing speaks against
    it. That an administrator set the port down counts where it takes the link away.
    """
    port = ctx.bridge.ports.get(number)
    return port is not None and port.may_enable and not port.state & PortState.LINK_DOWN
