"""In-band control: the switch's own host hears DHCP servers, whatever flows say."""

from __future__ import annotations

from vnet.ovs.dpif.actions import Output
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OFPP_LOCAL
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, IPPROTO_UDP
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.output import compose_output

_DHCP_SERVER_PORT, _DHCP_CLIENT_PORT = 67, 68


def hear_dhcp(ctx: XlateCtx) -> None:
    """Send a DHCP server's answer to the local port, if nothing else does.

    As in Open vSwitch, only an answer adds to the wildcards what was looked at.
    """
    if not ctx.bridge.has_in_band or ctx.freezing or not _is_from_dhcp_server(ctx.flow):
        return
    local = ctx.bridge.ports.get(OFPP_LOCAL)
    if local is None or local.odp_port is None or Output(local.odp_port) in ctx.actions:
        return
    for bits in (Flow.dl_type, Flow.nw_proto, Flow.tp_src, Flow.tp_dst):
        ctx.wc.fill(bits)
    ctx.detail("outputting DHCP packet to local port for in-band control")
    compose_output(ctx, OFPP_LOCAL, check_stp=False)


def _is_from_dhcp_server(flow: Flow) -> bool:
    return (
        flow.tp_dst == _DHCP_CLIENT_PORT
        and flow.tp_src == _DHCP_SERVER_PORT
        and flow.nw_proto == IPPROTO_UDP
        and flow.dl_type == ETH_TYPE_IP
    )
