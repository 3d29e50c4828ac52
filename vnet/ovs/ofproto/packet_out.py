"""Packets that controllers have a bridge send, and those that go on when a controller says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import ODPP_NONE, OfpPort
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.requests import LearnFlow, PreparedPacket
from vnet.ovs.ofproto.xlate.cache import LearnRefresh, XlateCache
from vnet.ovs.ofproto.xlate.context import XlateIn, XlateOut
from vnet.ovs.ofproto.xlate.recirc import FROZEN_MASK, FrozenState
from vnet.ovs.ofproto.xlate.translate import translate
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import Continuation, PacketIn, PacketOut
from vnet.ovs.openflow.ofpacts import Note
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.ovs.ofproto.backer import Backer

_NOTHING_TO_DO = (Note(b""),)
"""Without any action a translation would look for some in table 0."""


def prepare_packet_out(
    backer: Backer, bridge: Ofproto, packet_out: PacketOut, learn: LearnFlow
) -> PreparedPacket:
    """Decide what becomes of a packet, which leaves when it is told to.

    ``learn`` makes the flows that it teaches the bridge, as part of the request. Raises
    :class:`OpenFlowError`.
    """
    frame = packet_out.frame
    packet_type = Flow.packet_type.of(packet_out.pipeline.value)
    key = packet_out.pipeline.value | extract(
        frame, packet_type=packet_type, vlan_limit=backer.dpif.vlan_limit
    )
    xin = XlateIn(bridge, backer, Flow(key), frame, actions=packet_out.actions)
    xin.in_packet_out = True
    xin.tcp_flags = xin.flow.tcp_flags
    xin.cache = cache = XlateCache()
    out = translate(xin)

    def give_up() -> None:
        out.release(backer.recirc, backer.scheduler.now_ns)

    if out.error is not DropCause.OK:
        give_up()
        raise OpenFlowError("OFPFMFC_UNKNOWN")
    try:
        for effect in cache.effects:
            if isinstance(effect, LearnRefresh) and effect.bridge is bridge:
                learn(effect.flow_mod)
    except OpenFlowError:
        give_up()
        raise

    def send() -> None:
        port = bridge.ports.get(OfpPort(Flow.in_port.of(key)))
        odp_port = ODPP_NONE if port is None or port.odp_port is None else port.odp_port
        _carry_out(backer, xin, out, Flow.in_port.set(key, odp_port))

    return PreparedPacket(send, give_up)


def resume(backer: Backer, bridge: Ofproto, packet_in: PacketIn) -> None:
    """Have a packet go on that has waited for its controller (NXT_RESUME).

    Raises ``NXR_STALE`` if the bridge that it waited in is no more.
    """
    continuation = packet_in.continuation or Continuation()
    metadata = packet_in.pipeline.value
    waiting = next((b for b in backer.bridges.values() if b.uuid == continuation.bridge), None)
    if waiting is None:
        raise OpenFlowError("NXR_STALE")
    frame = packet_in.frame
    packet_type = Flow.packet_type.of(metadata)
    headers = extract(frame, packet_type=packet_type, vlan_limit=backer.dpif.vlan_limit)
    xin = XlateIn(bridge, backer, Flow(metadata | headers), frame)
    xin.tcp_flags = xin.flow.tcp_flags
    xin.allow_side_effects = True
    xin.cache = XlateCache()
    xin.frozen_state = FrozenState(
        bridge=waiting,
        table_id=0,
        metadata=metadata & FROZEN_MASK,
        stack=continuation.stack,
        mirrors=continuation.mirrors,
        conntracked=continuation.conntracked,
        actions=continuation.actions or _NOTHING_TO_DO,
        action_set=continuation.action_set,
    )
    key = Flow.in_port.set(metadata | headers, continuation.odp_port)
    _carry_out(backer, xin, translate(xin), key)


def _carry_out(backer: Backer, xin: XlateIn, out: XlateOut, key: int) -> None:
    """Count what was met, and have the datapath do the rest."""
    assert xin.frame is not None
    assert xin.cache is not None
    now_ns = backer.scheduler.now_ns
    xin.cache.push(FlowStats(1, len(xin.frame), now_ns, xin.tcp_flags))
    backer.dpif.execute(Frame(xin.frame), key, out.actions)
    out.release(backer.recirc, now_ns)
