"""Packets that controllers have a switch send: OFPT_PACKET_OUT.

Sources: OpenFlow 1.0, section 5.3.6; 1.5.1, section 7.3.6.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import lru_cache

from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.packet_mask import packet_mask
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_LOCAL, OFPP_MAX, OFPP_NONE, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import IN_PORT_MASK, NO_BUFFER, PacketOut
from vnet.ovs.openflow.ofpacts import Controller, Group, Ofpacts, Output
from vnet.ovs.openflow.text.actions.checking import check_consistency
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import decode_actions, encode_actions
from vnet.ovs.openflow.wire.match import Reading, decode_oxm, encode_oxm
from vnet.ovs.openflow.wire.oxm import TunLengths
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11

_OF10 = struct.Struct("!IHH")
"""buffer_id, in_port, actions_len"""
_OF11 = struct.Struct("!IIH6x")
"""buffer_id, in_port, actions_len"""
_OF15 = struct.Struct("!IH2x")
"""buffer_id, actions_len"""
_NOT_A_PORT = (OFPP_LOCAL, OFPP_NONE, OFPP_CONTROLLER)
"""Reserved ports that a packet may have come in by."""
_GO_WITH_ANY = frozenset((Output, Group, Controller))
"""What is done with a packet whatever it is."""
_ETHERNET_MASK = IN_PORT_MASK | Flow.packet_type.mask


def encode_packet_out(packet_out: PacketOut, version: OpenFlowVersion) -> bytes:
    """The body of the message. Before OpenFlow 1.5 none tells more than the port."""
    actions = encode_actions(packet_out.actions, version)
    buffer_id, in_port = packet_out.buffer_id, packet_out.in_port
    if version is OpenFlowVersion.OF10:
        head = _OF10.pack(buffer_id, in_port, len(actions))
    elif version <= OpenFlowVersion.OF14:
        head = _OF11.pack(buffer_id, port_to_of11(in_port), len(actions))
    else:
        head = _OF15.pack(buffer_id, len(actions)) + encode_oxm(packet_out.pipeline, version)
    return head + actions + (packet_out.frame if buffer_id == NO_BUFFER else b"")


def decode_packet_out(
    body: bytes,
    version: OpenFlowVersion,
    *,
    tun_lengths: TunLengths | None = None,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> PacketOut:
    """What a packet-out says. Raises :class:`OpenFlowError` (OFPBRC_*, OFPBAC_*, OFPBMC_*).

    Its actions may name tunnel options that are not mapped: Open vSwitch lets them do nothing.
    """
    if version is OpenFlowVersion.OF15:
        buffer_id, n_bytes = _OF15.unpack_from(body)
        reading = Reading(is_loose=True, is_pipeline_only=True, tun_lengths=tun_lengths)
        pipeline, start = decode_oxm(body, _OF15.size, reading)
        if not pipeline.mask & Flow.in_port.mask:
            raise OpenFlowError("OFPBRC_BAD_PORT")
    elif version is OpenFlowVersion.OF10:
        buffer_id, in_port, n_bytes = _OF10.unpack_from(body)
        pipeline, start = Match(in_port, _ETHERNET_MASK), _OF10.size
    else:
        buffer_id, number, n_bytes = _OF11.unpack_from(body)
        pipeline, start = Match(port_from_of11(number), _ETHERNET_MASK), _OF11.size
    end = start + n_bytes
    if end > len(body):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    actions = decode_actions(
        body[start:end], version, allows_debug=allows_debug, openflow_full=openflow_full
    )
    _check_in_port(OfpPort(Flow.in_port.of(pipeline.value)))
    frame = body[end:] if buffer_id == NO_BUFFER else b""
    return PacketOut(frame, actions, pipeline, buffer_id)


def _check_in_port(in_port: OfpPort) -> None:
    if in_port >= OFPP_MAX and in_port not in _NOT_A_PORT:
        text = f"packet-out has bad input port {in_port:#x}"
        raise OpenFlowError("OFPBRC_BAD_PORT", warning=("ofp_packet", text))


def check_packet_out(packet_out: PacketOut, protocol: int) -> PacketOut:
    """What a switch makes of one that it has received from who speaks ``protocol``.

    It keeps no packets back, and the actions must go with the packet. Raises
    :class:`OpenFlowError` (OFPBRC_BUFFER_UNKNOWN, OFPBAC_*).
    """
    if packet_out.buffer_id != NO_BUFFER:
        raise OpenFlowError("OFPBRC_BUFFER_UNKNOWN")
    actions = packet_out.actions
    if all(type(action) in _GO_WITH_ANY for action in actions):
        _checked_with_any(actions, protocol)
        return packet_out
    told = packet_out.pipeline.value
    key = told | extract(packet_out.frame, packet_type=Flow.packet_type.of(told))
    match = Match(key, packet_mask(Flow(key)).key)
    return replace(packet_out, actions=check_consistency(actions, match, protocol, table_id=0))


@lru_cache(maxsize=64)
def _checked_with_any(actions: Ofpacts, protocol: int) -> None:
    check_consistency(actions, CATCHALL, protocol, table_id=0)
