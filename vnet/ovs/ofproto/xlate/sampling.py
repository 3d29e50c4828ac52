"""Copies of packets for collectors: sFlow and IPFIX of a bridge, and the ``sample`` action."""

from __future__ import annotations

from dataclasses import replace

from vnet.ovs.dpif.actions import SAMPLE_ALWAYS, Meter, OdpAction, Sample, Userspace
from vnet.ovs.dpif.cookies import Cookie, FlowSampleCookie, IpfixCookie, SflowCookie
from vnet.ovs.flow.ports import ODPP_NONE, OFPP_NONE, OdpPort, OfpPort
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.header import address_tunnel
from vnet.ovs.ofproto.xlate.commit import commit, commit_tunnel
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.loop import carries_out
from vnet.ovs.ofproto.xlate.vlan import VID_MASK
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.messages import METER_SLOWPATH

_PCP_SHIFT = 13
_DROPPED = 0x4000_0000 | 256
_SEVERAL = 0x8000_0000
"""What sFlow says of a packet that leaves by no port, or by so many (sFlow version 5, section 5.3,
"Input/output port information")."""


def sample_input(ctx: XlateCtx) -> None:
    """A packet has come in. What becomes of it, sFlow learns by :func:`complete_sflow`."""
    sampling = ctx.in_.bridge.sampling
    if ctx.in_.flow.in_port == OFPP_NONE:
        return
    if sampling.sflow_probability:
        _put(ctx, sampling.sflow_probability, SflowCookie(0, 0, 0), with_actions=True)
    if sampling.ipfix is not None and sampling.ipfix.is_of_input:
        _put(ctx, sampling.ipfix.probability, IpfixCookie(ODPP_NONE))


def sample_output(ctx: XlateCtx, port: OfPort) -> None:
    """A packet is about to leave by a port, which the datapath has."""
    ipfix = ctx.bridge.sampling.ipfix
    if ipfix is not None and ipfix.is_of_output:
        assert port.odp_port is not None
        tunnel = port.odp_port if port.tunnel is not None and ipfix.is_of_tunnels else ODPP_NONE
        _put(ctx, ipfix.probability, IpfixCookie(port.odp_port), tunnel=tunnel)


def complete_sflow(ctx: XlateCtx) -> None:
    """Say in sFlow's sample, which is the first action, where the packet goes with which tag."""
    if not ctx.in_.bridge.sampling.sflow_probability or ctx.in_.flow.in_port == OFPP_NONE:
        return
    # Ports have no interface index, so even one is told as a number of ports.
    output = _SEVERAL | ctx.n_outputs if ctx.n_outputs else _DROPPED
    tci = ctx.base_flow.vlan_tci
    cookie = SflowCookie(tci & VID_MASK, tci >> _PCP_SHIFT, output)
    ctx.actions[0] = _with_cookie(ctx.actions[0], cookie)


def _with_cookie(action: OdpAction, cookie: Cookie) -> OdpAction:
    if isinstance(action, Sample):
        inner = tuple(_with_cookie(one, cookie) for one in action.actions)
        return replace(action, actions=inner)
    return replace(action, cookie=cookie) if isinstance(action, Userspace) else action


@carries_out(ofpacts.Sample)
def _sample(ctx: XlateCtx, action: ofpacts.Sample) -> None:
    """Without a collector nothing is sampled."""
    ipfix = ctx.bridge.sampling.ipfix
    if ipfix is None:
        return
    output = tunnel = ODPP_NONE
    if action.sampling_port not in (OFPP_NONE, ctx.flow.in_port):
        port = ctx.bridge.ports.get(action.sampling_port)
        if port is None or port.odp_port is None:
            ctx.fail(f"can't use unknown port {action.sampling_port} in flow sample action")
            return
        output = port.odp_port
        if port.tunnel is not None and action.collector_set_id in ipfix.sets_of_tunnels:
            tunnel = output
    commit(ctx)
    if tunnel != ODPP_NONE:
        _tell_of_tunnel(ctx, action.sampling_port)
    cookie = FlowSampleCookie(
        action.probability,
        action.collector_set_id,
        action.obs_domain_id,
        action.obs_point_id,
        output,
        action.direction.value,
    )
    _put(ctx, action.probability << 16 | action.probability, cookie, tunnel=tunnel)


def _tell_of_tunnel(ctx: XlateCtx, number: OfpPort) -> None:
    """Have the sample carry what the tunnel will say. As in Open vSwitch, the flow keeps it."""
    port, underlay = ctx.bridge.ports[number], ctx.in_.backer.underlay
    assert port.tunnel is not None
    if underlay.tunnels.has(port):
        address_tunnel(port.tunnel, ctx.flow, ctx.wc)
    if not underlay.is_native:
        commit_tunnel(ctx)


def _put(
    ctx: XlateCtx,
    probability: int,
    cookie: Cookie,
    *,
    tunnel: OdpPort = ODPP_NONE,
    with_actions: bool = False,
) -> None:
    """Through the switch's meter for what comes up, if there is one. ``tunnel`` is the port whose
    headers the collector shall be told of."""
    if not probability:
        return
    meter_id = ctx.in_.bridge.datapath_meter(METER_SLOWPATH)
    up = Userspace(cookie, tunnel_out_port=tunnel, with_actions=with_actions)
    if meter_id is not None:
        ctx.actions.append(Sample(probability, (Meter(meter_id), up)))
    elif probability < SAMPLE_ALWAYS:
        ctx.actions.append(Sample(probability, (up,)))
    else:
        ctx.actions.append(up)
