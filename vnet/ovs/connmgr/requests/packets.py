"""Packets that controllers have the bridge send."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.packet_out import resume as let_go_on
from vnet.ovs.openflow.messages import PacketOut
from vnet.ovs.openflow.wire.packet.packet_in2 import decode_resume
from vnet.ovs.openflow.wire.packet.packet_out import check_packet_out, decode_packet_out


def read_packet_out(request: Request) -> PacketOut:
    """What an OFPT_PACKET_OUT asks for. Raises :class:`OpenFlowError`."""
    bridge = request.bridge
    packet_out = decode_packet_out(
        request.body,
        request.version,
        tun_lengths=bridge.tlv_mappings.lengths,
        allows_debug=request.ofconn.manager.backer.allows_debug,
        openflow_full=bridge.openflow_full,
    )
    return check_packet_out(packet_out, request.ofconn.wishes.protocol)


def send(request: Request) -> Iterable[bytes]:
    """OFPT_PACKET_OUT"""
    request.ofconn.manager.backer.events["ofproto_packet_out"] += 1
    request.ofconn.need_rights()
    request.bridge.packet_out(read_packet_out(request))
    return NO_ANSWER


def resume(request: Request) -> Iterable[bytes]:
    """NXT_RESUME"""
    packet_in = decode_resume(
        request.body,
        request.version,
        tun_lengths=request.bridge.tlv_mappings.lengths,
        allows_debug=request.ofconn.manager.backer.allows_debug,
        openflow_full=request.bridge.openflow_full,
    )
    let_go_on(request.ofconn.manager.backer, request.bridge, packet_in)
    return NO_ANSWER
