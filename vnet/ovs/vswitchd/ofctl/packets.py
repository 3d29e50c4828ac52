"""Packets that are sent: ``packet-out``."""

from __future__ import annotations

from vnet.ovs.openflow.text.packet_out import read_packet_out
from vnet.ovs.openflow.text.sending import protocol_for
from vnet.ovs.openflow.version import version_of
from vnet.ovs.openflow.wire.packet.packet_out import (
    check_packet_out,
    decode_packet_out,
    encode_packet_out,
)
from vnet.ovs.vswitchd.ofctl.command import Call


def out(call: Call) -> str:
    """``packet-out``: what a version cannot say of the pipeline is not said."""
    packet_out, usable = read_packet_out(call.word, call.names)
    protocol = protocol_for(usable, call.options.allowed)
    version, bridge = version_of(protocol), call.bridge
    received = decode_packet_out(
        encode_packet_out(packet_out, version),
        version,
        tun_lengths=bridge.tlv_mappings.lengths,
        openflow_full=bridge.openflow_full,
    )
    bridge.packet_out(check_packet_out(received, protocol))
    call.settle()
    return ""
