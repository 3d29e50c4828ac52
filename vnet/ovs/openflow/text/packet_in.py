"""Packet-ins as ``ovs-ofctl monitor`` prints them after the message's type."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names, table_text
from vnet.ovs.openflow.messages import NO_BUFFER, NO_COOKIE, Continuation, PacketIn
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.text.packet import packet_text

_REASONS = frozenset(PacketInReason)
_NAMELESS_REASONS = (PacketInReason.EXPLICIT_MISS, PacketInReason.IMPLICIT_MISS)


def packet_in_text(message: PacketIn, names: Names = NO_NAMES) -> str:
    """Where a packet was and why it came, in the first line; what it is, in the last."""
    packet_type = Flow.packet_type.of(message.pipeline.value)
    lines = [
        " ".join(_settings(message, names)),
        *_further_lines(message, names),
        packet_text(message.frame, packet_type),
    ]
    return "\n".join(lines)


def _settings(message: PacketIn, names: Names) -> Iterator[str]:
    if message.table_id or message.table_id in names.table_names:
        yield f"table_id={table_text(message.table_id, names)}"
    if message.cookie != NO_COOKIE:
        yield f"cookie={message.cookie:#x}"
    n_bytes = len(message.frame)
    full_bytes = n_bytes if message.full_len_bytes is None else message.full_len_bytes
    yield f"total_len={full_bytes}"
    yield match_text(message.pipeline, names)
    yield f"(via {reason_text(message.reason)})"
    yield f"data_len={n_bytes}"
    if message.buffer_id != NO_BUFFER:
        yield f"buffer={message.buffer_id:#010x}"
        if full_bytes < n_bytes:
            yield "(***total_len < data_len***)"
    else:
        yield "(unbuffered)"
        if full_bytes != n_bytes:
            yield "(***total_len != data_len***)"


def reason_text(reason: int) -> str:
    """Why a packet came, in a word; of a table's miss it is not told how it came about."""
    if reason not in _REASONS:
        return str(reason)
    return "" if reason in _NAMELESS_REASONS else PacketInReason(reason).name.lower()


def _further_lines(message: PacketIn, names: Names) -> Iterator[str]:
    if message.userdata:
        yield f" userdata={message.userdata.hex('.')}"
    if message.continuation is not None:
        for name, value in _continuation(message.continuation, names):
            yield f" continuation.{name}={value}"


def _continuation(waiting: Continuation, names: Names) -> Iterator[tuple[str, object]]:
    """What is told of a packet that waits to go on."""
    if any(waiting.bridge):
        yield "bridge", _uuid(waiting.bridge)
    if waiting.stack:
        values = " ".join(f"{int.from_bytes(value, 'big'):#x}" for value in reversed(waiting.stack))
        yield "stack", f"(top) {values} (bottom)"
    if waiting.mirrors:
        yield "mirrors", f"{waiting.mirrors:#x}"
    if waiting.conntracked:
        yield "conntracked", "true"
    if waiting.actions:
        yield "actions", actions_text(waiting.actions, names)
    if waiting.action_set:
        yield "action_set", actions_text(waiting.action_set, names)
    if waiting.odp_port:
        yield "odp_port", waiting.odp_port


def _uuid(raw: bytes) -> UUID:
    """Open vSwitch has UUIDs as four numbers, and sends them as they stand in its memory."""
    return UUID(bytes=b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4)))
