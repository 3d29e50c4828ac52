"""Packets that controllers have the bridge send."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.packet_out import resume as let_go_on
from vnet.ovs.openflow.wire.packet_in2 import decode_resume
from vnet.ovs.openflow.wire.packet_out import check_packet_out, decode_packet_out


def send(request: Request) -> Iterable[bytes]:
    """OFPT_PACKET_OUT"""
    ofconn = request.ofconn
    ofconn.need_rights()
    packet_out = decode_packet_out(
        request.body, request.version, tun_lengths=request.bridge.tlv_mappings.lengths
    )
    request.bridge.packet_out(check_packet_out(packet_out, ofconn.wishes.protocol))
    return NO_ANSWER


def resume(request: Request) -> Iterable[bytes]:
    """NXT_RESUME"""
    packet_in = decode_resume(
        request.body, request.version, tun_lengths=request.bridge.tlv_mappings.lengths
    )
    let_go_on(request.ofconn.manager.backer, request.bridge, packet_in)
    return NO_ANSWER
