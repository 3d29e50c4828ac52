"""A segment as it leaves: the acknowledgement, the window and the options of this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.tcp.sequence import MODULUS, fold
from vnet.linux.tcp.window import MOST_UNSCALED
from vnet.wire import tcp_options
from vnet.wire.tcp import ACK, SYN, Tcp

if TYPE_CHECKING:
    from vnet.linux.tcp.connection import Connection

_MS = 1_000_000


def written(connection: Connection, sequence: int, flags: int, payload: bytes) -> Tcp:
    """The segment; the connection remembers what window it tells."""
    stamp = fold(connection.now_ns // _MS + connection.clock_offset)
    receiver, window = connection.receiver, connection.window
    if flags & SYN:
        said = connection.agreed.options(connection.mss, (stamp, connection.recent_ms))
        options = tcp_options.emit_syn(said)
        told = min(window.told, MOST_UNSCALED)
    else:
        options = b""
        if connection.agreed.timestamps:
            options = tcp_options.emit_timestamps(stamp, connection.recent_ms)
        if receiver.blocks or receiver.repeat:
            options += _sack(connection, len(payload), len(options))
        told = window.tell(receiver.nxt, receiver.memory)
        if window.cramped:
            connection.acks.cramped()
    source, target = connection.ports
    acknowledged = receiver.nxt % MODULUS if flags & ACK else 0
    return Tcp(source, target, sequence % MODULUS, acknowledged, flags, told, 0, options, payload)


def _sack(connection: Connection, payload_bytes: int, option_bytes: int) -> bytes:
    """The SACK option, as many blocks as there is room for: data that is sent again leaves
    little."""
    receiver = connection.receiver
    blocks = list(receiver.blocks)
    if receiver.repeat is not None:
        if connection.settings.dsack:
            blocks.insert(0, receiver.repeat)
        receiver.repeat = None
    if not connection.agreed.sack:
        return b""
    room = tcp_options.MOST_BYTES - option_bytes
    if payload_bytes:
        room = min(room, connection.mss_limit - payload_bytes - option_bytes)
    count = max(0, (room - 4) // 8)
    return tcp_options.emit_sack([(fold(a), fold(b)) for a, b in blocks[:count]])
