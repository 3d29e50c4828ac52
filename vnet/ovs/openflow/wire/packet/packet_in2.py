"""NXT_PACKET_IN2, which has properties in place of fixed parts; and NXT_RESUME, which has most of
them, too, and lets a packet go on that its controller has had."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import Any

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import NO_BUFFER, NO_COOKIE, Continuation, PacketIn
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.match import Reading, decode_field_list, encode_field_list
from vnet.ovs.openflow.wire.oxm import TunLengths
from vnet.ovs.openflow.wire.packet.continuation import decode_continuation, encode_continuation
from vnet.ovs.openflow.wire.packet.reason import reason_in
from vnet.ovs.openflow.wire.parts.properties import (
    properties,
    put,
    put_nested,
    put_u32,
    put_u64,
    refuse_unknown,
)

_MODULE = "ofp_packet"
_MOST_BYTES = 0xFFFF
_RESERVED_BYTES = 32
"""What the packet's own header and padding, its length and its buffer take at most."""


class _Part(IntEnum):
    """NXPINT_*"""

    PACKET = 0
    FULL_LEN = 1
    BUFFER_ID = 2
    TABLE_ID = 3
    COOKIE = 4
    REASON = 5
    METADATA = 6
    USERDATA = 7
    CONTINUATION = 8


def encode_packet_in2(packet_in: PacketIn, version: OpenFlowVersion) -> bytes:
    """The body of an NXT_PACKET_IN2. A packet that is too large for a message is cut."""
    userdata = put(_Part.USERDATA, packet_in.userdata) if packet_in.userdata else b""
    return _body(packet_in, version, kinds.NXT_PACKET_IN2, userdata)


def encode_resume(packet_in: PacketIn, version: OpenFlowVersion) -> bytes:
    """The body of an NXT_RESUME: the packet may go on, with what is said of it now."""
    return _body(packet_in, version, kinds.NXT_RESUME)


def _body(packet_in: PacketIn, version: OpenFlowVersion, kind: Kind, more: bytes = b"") -> bytes:
    rest = _described(packet_in, version)
    if packet_in.continuation is not None:
        continuation = encode_continuation(packet_in.continuation, version)
        if continuation or kind is kinds.NXT_RESUME:
            rest += put_nested(_Part.CONTINUATION, continuation)
    rest += more
    room_bytes = _MOST_BYTES - kind.numberings[version].offset - len(rest) - _RESERVED_BYTES
    frame, full_len_bytes = packet_in.frame[:room_bytes], packet_in.full_len_bytes
    parts = [put(_Part.PACKET, frame)]
    if full_len_bytes is None:
        full_len_bytes = len(packet_in.frame)
    if full_len_bytes != len(frame):
        parts.append(put_u32(_Part.FULL_LEN, full_len_bytes))
    if packet_in.buffer_id != NO_BUFFER:
        parts.append(put_u32(_Part.BUFFER_ID, packet_in.buffer_id))
    return b"".join(parts) + rest


def _described(packet_in: PacketIn, version: OpenFlowVersion) -> bytes:
    """What is said of the packet, whatever becomes of it."""
    parts = [put(_Part.TABLE_ID, bytes((packet_in.table_id,)))]
    if packet_in.cookie != NO_COOKIE:
        parts.append(put_u64(_Part.COOKIE, packet_in.cookie))
    parts.append(put(_Part.REASON, bytes((reason_in(packet_in.reason, version),))))
    parts.append(put(_Part.METADATA, encode_field_list(packet_in.pipeline, version)))
    return b"".join(parts)


def decode_resume(
    body: bytes,
    version: OpenFlowVersion,
    *,
    tun_lengths: TunLengths | None = None,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> PacketIn:
    """What an NXT_RESUME says, for a switch, which passes over nothing.

    Raises :class:`OpenFlowError`, as :func:`decode_packet_in2` does.
    """
    resumed = decode_packet_in2(
        body,
        version,
        tun_lengths=tun_lengths,
        allows_debug=allows_debug,
        openflow_full=openflow_full,
    )
    return replace(resumed, continuation=resumed.continuation or Continuation())


def decode_packet_in2(
    body: bytes,
    version: OpenFlowVersion,
    *,
    tun_lengths: TunLengths | None = None,
    is_loose: bool = False,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> PacketIn:
    """What an NXT_PACKET_IN2 says; ``is_loose`` passes over properties and fields that nobody
    knows. Actions are read as :func:`~vnet.ovs.openflow.wire.actions.decode_actions` reads them.

    Raises :class:`OpenFlowError` (OFPBRC_BAD_LEN, OFPBPC_*, OFPBMC_*, OFPBAC_*).
    """
    reading = Reading(is_loose=is_loose, tun_lengths=tun_lengths)
    values: dict[str, Any] = {"frame": b"", "reason": 0}
    full_len_bytes = 0
    continuation = b""
    for item in properties(body):
        match item.type:
            case _Part.PACKET:
                values["frame"] = item.value
            case _Part.FULL_LEN:
                full_len_bytes = item.u32()
            case _Part.BUFFER_ID:
                values["buffer_id"] = item.u32()
            case _Part.TABLE_ID:
                values["table_id"] = item.u8()
            case _Part.COOKIE:
                values["cookie"] = item.u64()
            case _Part.REASON:
                values["reason"] = item.u8()
            case _Part.METADATA:
                values["pipeline"] = decode_field_list(item.value, reading).match
            case _Part.USERDATA:
                values["userdata"] = item.value
            case _Part.CONTINUATION:
                continuation = item.nested
            case unknown:
                if not is_loose:
                    raise refuse_unknown(unknown, _MODULE, "NX_PACKET_IN2")
    values["full_len_bytes"] = _checked_full_len(full_len_bytes, len(values["frame"]))
    if continuation:
        values["continuation"] = decode_continuation(
            continuation,
            version,
            is_loose=is_loose,
            allows_debug=allows_debug,
            openflow_full=openflow_full,
        )
    return PacketIn(**values)


def _checked_full_len(full_len_bytes: int, n_bytes: int) -> int | None:
    """The length of the whole packet, None where that is here."""
    if not n_bytes:
        raise OpenFlowError("OFPBRC_BAD_LEN", warning=(_MODULE, "NXT_PACKET_IN2 lacks packet"))
    if full_len_bytes in (0, n_bytes):
        return None
    if full_len_bytes < n_bytes:
        text = "NXT_PACKET_IN2 claimed full_len < len"
        raise OpenFlowError("OFPBRC_BAD_LEN", warning=(_MODULE, text))
    return full_len_bytes
