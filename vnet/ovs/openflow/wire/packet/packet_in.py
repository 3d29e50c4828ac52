"""Packets for controllers: OFPT_PACKET_IN, NXT_PACKET_IN and NXT_PACKET_IN2.

Open vSwitch keeps no packets back: a message has all of its packet. What follows the fixed parts
here is a match, two bytes of padding, and the packet.

Sources: OpenFlow 1.0, section 5.4.1; 1.5.1, section 7.4.1; nicira-ext.h of Open vSwitch.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import IN_PORT_MASK, NO_COOKIE, PacketIn, PacketInFormat
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.match import Reading, decode_nxm, decode_oxm, encode_nxm, encode_oxm
from vnet.ovs.openflow.wire.oxm import TunLengths
from vnet.ovs.openflow.wire.packet.packet_in2 import decode_packet_in2, encode_packet_in2
from vnet.ovs.openflow.wire.packet.reason import reason_in
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11

_OF10 = struct.Struct("!IHHBx")
"""buffer_id, total_len, in_port, reason"""
_OF11 = struct.Struct("!IIIHBB")
"""buffer_id, in_port, in_phy_port, total_len, reason, table_id"""
_OF12 = struct.Struct("!IHBB")
"""buffer_id, total_len, reason, table_id"""
_COOKIE = struct.Struct("!Q")
_NXT = struct.Struct("!IHBBQH6x")
"""buffer_id, total_len, reason, table_id, cookie, match_len"""
_PADDING = bytes(2)
_MOST_BYTES = 0xFFFF


def encode_packet_in(
    packet_in: PacketIn, form: PacketInFormat, version: OpenFlowVersion, xid: int = 0
) -> bytes:
    """The message that a connection gets which speaks ``version`` and wants ``form``.

    A packet that is too large for a message is cut.
    """
    if form is PacketInFormat.NXT_PACKET_IN2:
        return pack(kinds.NXT_PACKET_IN2, version, xid, encode_packet_in2(packet_in, version))
    if form is PacketInFormat.NXT_PACKET_IN:
        kind, head = kinds.NXT_PACKET_IN, _nxt_head(packet_in, version)
    else:
        kind, head = kinds.OFPT_PACKET_IN, _standard_head(packet_in, version)
    room_bytes = _MOST_BYTES - kind.numberings[version].offset - len(head)
    return pack(kind, version, xid, head + packet_in.frame[:room_bytes])


def _standard_head(packet_in: PacketIn, version: OpenFlowVersion) -> bytes:
    buffer_id, n_bytes = packet_in.buffer_id, _full_len(packet_in)
    in_port = OfpPort(Flow.in_port.of(packet_in.pipeline.value))
    reason = reason_in(packet_in.reason, version)
    if version is OpenFlowVersion.OF10:
        return _OF10.pack(buffer_id, n_bytes, in_port, reason)
    if version is OpenFlowVersion.OF11:
        port = port_to_of11(in_port)
        return _OF11.pack(buffer_id, port, port, n_bytes, reason, packet_in.table_id)
    head = _OF12.pack(buffer_id, n_bytes, reason, packet_in.table_id)
    if version >= OpenFlowVersion.OF13:
        head += _COOKIE.pack(packet_in.cookie)
    return head + encode_oxm(packet_in.pipeline, version) + _PADDING


def _nxt_head(packet_in: PacketIn, version: OpenFlowVersion) -> bytes:
    match = encode_nxm(packet_in.pipeline)
    reason = reason_in(packet_in.reason, version)
    fixed = _NXT.pack(
        *(packet_in.buffer_id, _full_len(packet_in), reason, packet_in.table_id),
        *(packet_in.cookie, len(match)),
    )
    return fixed + match + bytes(-len(match) % 8) + _PADDING


def _full_len(packet_in: PacketIn) -> int:
    full = packet_in.full_len_bytes
    return min(len(packet_in.frame) if full is None else full, _MOST_BYTES)


def decode_packet_in(
    kind: Kind, body: bytes, version: OpenFlowVersion, *, tun_lengths: TunLengths | None = None
) -> PacketIn:
    """What a packet-in of any format says. Fields of its match that nobody knows are passed over.

    Raises :class:`OpenFlowError` (OFPBRC_*, OFPBMC_*, OFPBPC_*).
    """
    if kind is kinds.NXT_PACKET_IN2:
        return decode_packet_in2(body, version, tun_lengths=tun_lengths, is_loose=True)
    if kind is kinds.NXT_PACKET_IN:
        return _decode_nxt(body, tun_lengths)
    if version is OpenFlowVersion.OF10:
        buffer_id, n_bytes, in_port, reason = _OF10.unpack_from(body)
        pipeline = _came_by(OfpPort(in_port))
        return _received(body[_OF10.size :], n_bytes, buffer_id, reason, pipeline)
    if version is OpenFlowVersion.OF11:
        buffer_id, in_port, _, n_bytes, reason, table_id = _OF11.unpack_from(body)
        pipeline = _came_by(port_from_of11(in_port))
        return _received(body[_OF11.size :], n_bytes, buffer_id, reason, pipeline, table_id)
    return _decode12(body, version, tun_lengths)


def _decode12(body: bytes, version: OpenFlowVersion, tun_lengths: TunLengths | None) -> PacketIn:
    buffer_id, n_bytes, reason, table_id = _OF12.unpack_from(body)
    at = _OF12.size
    cookie = NO_COOKIE
    if version >= OpenFlowVersion.OF13:
        (cookie,) = _COOKIE.unpack_from(body, at)
        at += _COOKIE.size
    pipeline, at = decode_oxm(body, at, Reading(is_loose=True, tun_lengths=tun_lengths))
    frame = _behind_padding(body, at)
    return _received(frame, n_bytes, buffer_id, reason, pipeline, table_id, cookie)


def _decode_nxt(body: bytes, tun_lengths: TunLengths | None) -> PacketIn:
    buffer_id, n_bytes, reason, table_id, cookie, match_bytes = _NXT.unpack_from(body)
    end = _NXT.size + match_bytes
    if end + -match_bytes % 8 > len(body):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    pipeline, _, _ = decode_nxm(
        body[_NXT.size : end], is_loose=True, may_have_cookie=False, tun_lengths=tun_lengths
    )
    frame = _behind_padding(body, end + -match_bytes % 8)
    return _received(frame, n_bytes, buffer_id, reason, pipeline, table_id, cookie)


def _behind_padding(body: bytes, at: int) -> bytes:
    if len(body) < at + len(_PADDING):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return body[at + len(_PADDING) :]


def _came_by(in_port: OfpPort) -> Match:
    return Match(in_port, IN_PORT_MASK)


def _received(
    frame: bytes,
    full_len_bytes: int,
    buffer_id: int,
    reason: int,
    pipeline: Match,
    table_id: int = 0,
    cookie: int = NO_COOKIE,
) -> PacketIn:
    return PacketIn(
        frame=frame,
        reason=reason,
        table_id=table_id,
        cookie=cookie,
        pipeline=pipeline,
        buffer_id=buffer_id,
        full_len_bytes=None if full_len_bytes == len(frame) else full_len_bytes,
    )
