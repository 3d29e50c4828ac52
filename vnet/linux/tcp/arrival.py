"""A segment arrives (RFC 9293 section 3.10.7).

The order of the checks is the RFC's: sequence number, RST, SYN, ACK, urgent, data, FIN. Each
function returns why the segment was thrown away, or None. The urgent pointer is passed over:
urgent data stays where it is in the stream (SO_OOBINLINE).
"""

from __future__ import annotations

from vnet.base.drops import DropReason
from vnet.linux.tcp import drops, stray
from vnet.linux.tcp.connection import Connection
from vnet.linux.tcp.intake import acknowledge, take_data, take_payload
from vnet.linux.tcp.outcome import Failure, Signal
from vnet.linux.tcp.sequence import earlier, unfold
from vnet.linux.tcp.states import Event, State
from vnet.wire.tcp import ACK, FIN, PSH, RST, SYN, Tcp
from vnet.wire.tcp_options import TcpOptions

_QUIET_NS = 500_000_000
"""net.ipv4.tcp_invalid_ratelimit: so often answers go to segments that are out of place."""

_OLD_CLOCK_S = 24 * 24 * 3600
"""After 24 days of silence PAWS has nothing to go by (RFC 7323 section 5.5)."""


def arrive(
    connection: Connection, segment: Tcp, options: TcpOptions, now_ns: int
) -> DropReason | None:
    """Take in a segment that has the connection's addresses and ports."""
    connection.now_ns = now_ns
    if _is_expected(connection, segment, options):
        return _take_expected(connection, segment, options)
    if connection.state is State.SYN_SENT:
        return _in_syn_sent(connection, segment, options)
    return _in_later_state(connection, segment, options)


def _in_later_state(connection: Connection, segment: Tcp, options: TcpOptions) -> DropReason | None:
    sequence = unfold(segment.sequence, connection.receiver.nxt)
    reason = _acceptable(connection, segment, options, sequence)
    if reason is not None or segment.flags & (RST | SYN):
        return reason
    if not segment.flags & ACK:
        return drops.NO_ACK
    reason = _take_ack(connection, segment, options, sequence)
    if reason is not None or connection.is_over or connection.state is State.TIME_WAIT:
        return reason
    if segment.payload or segment.flags & FIN:
        reason = take_data(connection, segment, sequence)
    if not connection.is_over:
        connection.push()
        acknowledge(connection)
    return reason


# -- header prediction (RFC 1323 section 4.3): what nearly every segment is


def _is_expected(connection: Connection, segment: Tcp, options: TcpOptions) -> bool:
    """Whether the next data, or a bare acknowledgement, came while all is in order."""
    receiver = connection.receiver
    if (
        connection.state is not State.ESTABLISHED
        or segment.flags & ~PSH != ACK
        or segment.sequence != receiver.nxt & 0xFFFFFFFF
        or options.sack
        or receiver.is_gapped
    ):
        return False
    stamps = options.timestamps
    if stamps is not None and earlier(stamps[0], connection.recent_ms):
        return False
    if not segment.payload:
        return True
    return (
        segment.acknowledgement == connection.sender.una & 0xFFFFFFFF
        and segment.window << (connection.agreed.send_scale or 0) == connection.sender.window
        and len(segment.payload) <= connection.window.remaining(receiver.nxt)
        and not connection.read_shut
    )


def _take_expected(connection: Connection, segment: Tcp, options: TcpOptions) -> DropReason | None:
    receiver = connection.receiver
    stamps = options.timestamps
    if stamps is not None and receiver.nxt <= connection.window.told_at:
        connection.recent_ms = stamps[0]
    if not segment.payload:
        reason = _take_ack(connection, segment, options, receiver.nxt)
        if reason is None:
            connection.push()
        return reason
    connection.last_heard_ns = connection.now_ns
    connection.keepalive.probes = 0
    take_payload(connection, segment.payload, receiver.nxt)
    connection.window.measure(receiver.nxt, connection.now_ns)
    acknowledge(connection)
    return None


# -- SYN-SENT


def _in_syn_sent(connection: Connection, segment: Tcp, options: TcpOptions) -> DropReason | None:
    sender = connection.sender
    flags = segment.flags
    if flags & ACK:
        acknowledgement = connection.unfold_ack(segment.acknowledgement)
        stale = False
        if connection.agreed.timestamps and options.timestamps is not None:
            stale = connection.unfold_echo(options.timestamps[1]) > connection.clock_ms()
        if not sender.una < acknowledgement <= sender.nxt or stale:
            if not flags & RST:
                connection.out.append(stray.reset_for(segment))
            return drops.BAD_ACK
        if flags & RST:
            connection.fail(Failure.REFUSED)
            return None
    if flags & RST:
        return drops.BAD_ACK
    if not flags & SYN:
        return drops.NO_ACK
    connection.take_syn(segment, options)
    if flags & ACK:
        echo = options.timestamps
        echo_ms = connection.unfold_echo(echo[1]) if echo is not None else None
        sender.syn_acknowledged(connection.now_ns, echo_ms)
        sender.set_window(segment.window, segment.sequence)
        connection.move(Event.SYN_ACK)
        connection.established()
        connection.send_ack()
        connection.push()
    else:
        connection.move(Event.SYN)
        syn = sender.board.segments[0]
        syn.flags = SYN | ACK
        sender.wire.emit(syn.sequence, syn.flags, b"")
    return None


# -- whether a segment is acceptable


def _acceptable(
    connection: Connection, segment: Tcp, options: TcpOptions, sequence: int
) -> DropReason | None:
    receiver, window = connection.receiver, connection.window
    flags = segment.flags
    end = sequence + len(segment.payload) + bool(flags & SYN) + bool(flags & FIN)
    stamps = options.timestamps
    if (
        stamps is not None
        and connection.agreed.timestamps
        and not flags & RST
        and earlier(stamps[0], connection.recent_ms)
        and connection.now_ns - connection.last_heard_ns < _OLD_CLOCK_S * 1_000_000_000
        and not _was_overtaken(connection, segment, sequence, stamps[0])
    ):
        _answer_odd(connection, segment, sequence)
        return drops.OLD_TIMESTAMP
    ends_at = receiver.nxt + window.remaining(receiver.nxt)
    if end < window.told_at or sequence > ends_at:
        if flags & RST:
            return drops.OUT_OF_WINDOW
        if flags & SYN:
            return _take_syn_again(connection, segment, sequence)
        _answer_odd(connection, segment, sequence)
        return drops.OLD_DATA if end <= receiver.nxt else drops.OUT_OF_WINDOW
    if flags & RST:
        return _take_reset(connection, sequence)
    if flags & SYN:
        if connection.state is State.SYN_RECEIVED and connection.passive:
            return _take_syn_in_handshake(connection, segment, sequence)
        return _take_syn_again(connection, segment, sequence)
    if (
        stamps is not None
        and sequence <= window.told_at
        and not earlier(stamps[0], connection.recent_ms)
    ):
        connection.recent_ms = stamps[0]
    return None


def _was_overtaken(connection: Connection, segment: Tcp, sequence: int, stamp: int) -> bool:
    """A bare acknowledgement that is only a little late does no harm."""
    if segment.payload or segment.flags & (SYN | FIN | ACK) != ACK:
        return False
    late_ms = connection.recent_ms - stamp & 0xFFFFFFFF
    return (
        sequence == connection.receiver.nxt
        and segment.acknowledgement == connection.sender.una & 0xFFFFFFFF
        and late_ms <= connection.sender.rtt.rto_us // 1000
    )


def _answer_odd(connection: Connection, segment: Tcp, sequence: int) -> None:
    """Tell a peer that is out of step where we are; bare segments not more than twice a second."""
    if not segment.payload and not segment.flags & SYN:
        if connection.now_ns < connection.quiet_until_ns:
            return
        connection.quiet_until_ns = connection.now_ns + _QUIET_NS
    if segment.payload:
        connection.acks.hurry(connection.window.told, connection.window.segment_bytes)
        receiver = connection.receiver
        if sequence < receiver.nxt and connection.state is not State.SYN_RECEIVED:
            receiver.repeat = (sequence, min(sequence + len(segment.payload), receiver.nxt))
    connection.send_ack()


def _take_reset(connection: Connection, sequence: int) -> DropReason | None:
    """Only a reset at the very edge is believed; others have to be repeated (RFC 5961)."""
    receiver = connection.receiver
    at_edge = sequence == receiver.nxt
    if connection.agreed.sack and receiver.blocks:
        at_edge = at_edge or sequence == max(block[1] for block in receiver.blocks)
    if not at_edge:
        connection.send_ack()
        return drops.CHALLENGED
    if connection.state is State.SYN_RECEIVED:
        connection.fail(Failure.REFUSED)
    elif connection.state in (State.CLOSING, State.LAST_ACK, State.TIME_WAIT):
        connection.end()
    else:
        connection.fail(Failure.RESET)
    return None


def _take_syn_in_handshake(
    connection: Connection, segment: Tcp, sequence: int
) -> DropReason | None:
    """The SYN once more gets its SYN-ACK once more; any other is the end of the attempt."""
    if sequence + 1 == connection.receiver.nxt and not segment.flags & ACK:
        syn = connection.sender.board.segments[0]
        connection.sender.wire.emit(syn.sequence, syn.flags, b"")
        return None
    connection.out.append(stray.reset_for(segment))
    connection.end()
    return drops.CHALLENGED


def _take_syn_again(connection: Connection, segment: Tcp, sequence: int) -> DropReason | None:
    """A SYN for a connection that has one: of both opening at once, or of somebody who has
    forgotten us."""
    if (
        connection.state is State.SYN_RECEIVED
        and not connection.passive
        and sequence + 1 == connection.receiver.nxt
        and segment.flags & ACK
    ):
        return _take_crossed_syn_ack(connection, segment)
    connection.send_ack()
    return drops.CHALLENGED


def _take_crossed_syn_ack(connection: Connection, segment: Tcp) -> DropReason | None:
    """Both opened at once, and the peer's SYN-ACK is the acknowledgement of our SYN."""
    acknowledgement = connection.unfold_ack(segment.acknowledgement)
    if acknowledgement != connection.sender.nxt:
        return drops.BAD_ACK
    _establish(connection, segment, None)
    connection.receiver.repeat = (connection.receiver.nxt - 1, connection.receiver.nxt)
    connection.send_ack()
    return None


# -- acknowledgements


def _take_ack(
    connection: Connection, segment: Tcp, options: TcpOptions, sequence: int
) -> DropReason | None:
    sender = connection.sender
    acknowledgement = connection.unfold_ack(segment.acknowledgement)
    echo_ms = None
    if options.timestamps is not None and connection.agreed.timestamps:
        echo = options.timestamps[1]
        echo_ms = connection.unfold_echo(echo) if echo else None
    if connection.state is State.SYN_RECEIVED:
        if not sender.una < acknowledgement <= sender.nxt:
            connection.out.append(stray.reset_for(segment))
            return drops.BAD_ACK
        _establish(connection, segment, echo_ms)
    if acknowledgement > sender.nxt or acknowledgement < sender.una - max(sender.most_window, 1):
        connection.send_ack()
        return drops.BAD_ACK
    connection.last_heard_ns = connection.now_ns
    connection.keepalive.answered()
    scale = connection.agreed.send_scale or 0
    window = segment.window << scale
    blocks = _unfolded(options.sack, sender.una) if sender.sack and options.sack else ()
    says_more = bool(segment.payload) or bool(segment.flags & FIN)
    newer = (
        acknowledgement > sender.una
        or sequence > sender.window_from
        or (sequence == sender.window_from and window > sender.window)
    )
    if newer and acknowledgement >= sender.una:
        says_more = says_more or window != sender.window
        largest = sender.most_window
        sender.set_window(window, sequence)
        if window > largest:
            connection.sync_mss()
    sender.acknowledged(
        acknowledgement, blocks, connection.now_ns, echo_ms=echo_ms, says_more=says_more
    )
    if connection.wrote_full and 3 * connection.room >= connection.send_limit:
        connection.wrote_full = False
        connection.signal(Signal.WRITABLE)
    if sender.fin_sequence is not None and sender.una > sender.fin_sequence:
        _fin_acknowledged(connection)
    return None


def _unfolded(blocks: tuple[tuple[int, int], ...], near: int) -> tuple[tuple[int, int], ...]:
    return tuple((unfold(start, near), unfold(end, near)) for start, end in blocks)


def _establish(connection: Connection, segment: Tcp, echo_ms: int | None) -> None:
    connection.sender.syn_acknowledged(connection.now_ns, echo_ms)
    scale = connection.agreed.send_scale or 0
    window = segment.window if segment.flags & SYN else segment.window << scale
    connection.sender.set_window(window, unfold(segment.sequence, connection.receiver.nxt))
    connection.move(Event.ACK_OF_SYN)
    connection.established()


def _fin_acknowledged(connection: Connection) -> None:
    if connection.state is State.FIN_WAIT_1:
        connection.move(Event.ACK_OF_FIN)
        if connection.orphaned:
            connection.keepalive.watch_orphan(connection)
    elif connection.state is State.CLOSING:
        connection.move(Event.ACK_OF_FIN)
        connection.timers.clear()
    elif connection.state is State.LAST_ACK:
        connection.end()
