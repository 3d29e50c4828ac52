"""Packets that are sent: ``packet-out``."""

from __future__ import annotations

from vnet.ovs.openflow.text.packet_out import read_packet_out
from vnet.ovs.openflow.text.sending import packet_out_as_sent, protocol_for
from vnet.ovs.vswitchd.ofctl.command import Call


def out(call: Call) -> str:
    """``packet-out``: what a version cannot say of the pipeline is not said."""
    packet_out, usable = read_packet_out(call.word, call.names)
    bridge = call.bridge
    sent = packet_out_as_sent(
        packet_out,
        protocol_for(usable, call.options.allowed),
        tun_lengths=bridge.tlv_mappings.lengths,
        openflow_full=bridge.openflow_full,
    )
    bridge.packet_out(sent)
    call.settle()
    return ""
