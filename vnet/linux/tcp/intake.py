"""Data and FINs: where they go, and when they are acknowledged."""

from __future__ import annotations

from vnet.base.drops import DropReason
from vnet.linux.tcp import drops, stray
from vnet.linux.tcp.connection import Connection
from vnet.linux.tcp.outcome import Failure, Signal
from vnet.linux.tcp.receiver import Arrival
from vnet.linux.tcp.states import MAY_RECEIVE, Event, State
from vnet.wire.tcp import FIN, Tcp


def take_data(connection: Connection, segment: Tcp, sequence: int) -> DropReason | None:
    """What an acceptable segment carries; says why if that was thrown away."""
    if connection.state not in MAY_RECEIVE:
        return _take_after_fin(connection, segment, sequence)
    receiver, window = connection.receiver, connection.window
    if connection.read_shut and sequence + len(segment.payload) > receiver.nxt:
        connection.out.append(stray.reset_for(segment))
        connection.end()
        return drops.AFTER_CLOSE
    reason = None
    if segment.flags & FIN and connection.fin_at is None:
        connection.fin_at = sequence + len(segment.payload)
    if segment.payload:
        reason = take_payload(connection, segment.payload, sequence)
    if connection.fin_at == receiver.nxt:
        receiver.nxt += 1
        connection.acks.pending = True
        connection.acks.conversing = True
        _fin_arrived(connection)
    elif segment.flags & FIN and receiver.nxt < (connection.fin_at or 0):
        receiver.note_early(sequence, sequence + len(segment.payload) + 1)
        connection.acks.pending = connection.acks.at_once = True
    window.measure(receiver.nxt, connection.now_ns)
    return reason


def _take_after_fin(connection: Connection, segment: Tcp, sequence: int) -> DropReason | None:
    """The peer had said that there was no more: only what is old makes sense."""
    nxt = connection.receiver.nxt
    if sequence >= nxt:
        return drops.OUT_OF_WINDOW
    if sequence + len(segment.payload) > nxt:
        connection.out.append(stray.reset_for(segment))
        connection.fail(Failure.RESET)
        return drops.OUT_OF_WINDOW
    connection.acks.pending = connection.acks.at_once = True
    return drops.OLD_DATA


def take_payload(connection: Connection, payload: bytes, sequence: int) -> DropReason | None:
    """Data, which may be old, early or beyond the window."""
    receiver, window, acks = connection.receiver, connection.window, connection.acks
    ends_at = receiver.nxt + window.remaining(receiver.nxt)
    arrival = receiver.arrived(sequence, payload, ends_at)
    told, full = window.told, window.segment_bytes
    if arrival is Arrival.IN_ORDER:
        if acks.paused(connection.sender.rtt.rto_us, connection.now_ns):
            acks.be_quick(told, full)
        grown = window.arrived(len(payload), receiver.memory, in_order=True)
        acks.data_arrived(len(payload), told, full, connection.now_ns)
        if grown:
            acks.grown()
        acks.at_once = acks.at_once or receiver.filled
        connection.signal(Signal.READABLE)
        return None
    acks.hurry(told, full)
    acks.pending = acks.at_once = True
    if arrival is Arrival.OUT_OF_ORDER:
        window.arrived(len(payload), receiver.memory, in_order=False)
        return None
    return drops.OLD_DATA if arrival is Arrival.DUPLICATE else drops.OUT_OF_WINDOW


def _fin_arrived(connection: Connection) -> None:
    connection.signal(Signal.READABLE)
    if connection.state is State.FIN_WAIT_2:
        # The last acknowledgement is the peer's to wait for.
        connection.move(Event.FIN)
        connection.timers.clear()
        connection.acks.at_once = True
    else:
        connection.move(Event.FIN)
        if connection.state is State.CLOSING:
            connection.acks.at_once = True


def acknowledge(connection: Connection) -> None:
    """Acknowledge now, or have the timer do it."""
    acks, receiver, window = connection.acks, connection.receiver, connection.window
    if not acks.pending:
        return
    unacknowledged = receiver.nxt - window.told_at
    if (
        acks.at_once
        or acks.is_quick
        or (
            unacknowledged > window.segment_bytes
            and (not receiver.available or window.select(receiver.memory) >= window.told)
        )
        or receiver.is_gapped
    ):
        connection.send_ack()
        return
    _delay(connection)


def _delay(connection: Connection) -> None:
    timers, now_ns = connection.timers, connection.now_ns
    delay_us = connection.acks.delay_us(connection.sender.rtt.smoothed_us)
    if timers.ack_ns is not None and timers.ack_ns <= now_ns + delay_us * 250:
        connection.send_ack()  # it would be due at once anyway
        return
    timers.set_ack(now_ns, delay_us)
