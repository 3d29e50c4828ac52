"""One connection: segments, time and a program's calls in; segments, deadlines and signals out.

Whoever owns it sends what :attr:`Connection.out` holds, wakes it at :attr:`Connection.deadline_ns`
and looks at :attr:`Connection.signals`, after every call. What comes in is judged in the order of
RFC 9293 section 3.10.7, with the challenges of RFC 5961.
"""

from __future__ import annotations

from vnet.linux.tcp.ack_policy import AckPolicy
from vnet.linux.tcp.handshake import LEAST_MSS, Agreement
from vnet.linux.tcp.keepalive import Keepalive, gives_up
from vnet.linux.tcp.memory import memory_bytes
from vnet.linux.tcp.outcome import Failure, Signal
from vnet.linux.tcp.receiver import Receiver
from vnet.linux.tcp.reno import INITIAL_WINDOW
from vnet.linux.tcp.sender import Sender
from vnet.linux.tcp.sequence import unfold
from vnet.linux.tcp.settings import TcpSettings
from vnet.linux.tcp.states import MAY_SEND, Event, State, after
from vnet.linux.tcp.timers import Alarm, Timers
from vnet.linux.tcp.window import ReceiveWindow, initial_window
from vnet.linux.tcp.writing import written
from vnet.wire.tcp import ACK, RST, SYN, Tcp
from vnet.wire.tcp_options import TcpOptions

_MS = 1_000_000
_LEAST_HALF = 512


class Connection:
    """``mss`` is the largest segment that our side of the path takes, TCP header not counted."""

    __slots__ = (
        "acks",
        "agreed",
        "clock_offset",
        "failure",
        "fin_at",
        "keepalive",
        "last_heard_ns",
        "mss",
        "mss_limit",
        "now_ns",
        "orphaned",
        "out",
        "passive",
        "ports",
        "quiet_until_ns",
        "read_shut",
        "receiver",
        "recent_ms",
        "send_limit",
        "sender",
        "settings",
        "signals",
        "soft_failure",
        "state",
        "timers",
        "window",
        "wrote_full",
    )

    def __init__(
        self,
        settings: TcpSettings,
        ports: tuple[int, int],
        *,
        mss: int,
        isn: int,
        clock_offset: int,
        now_ns: int,
    ) -> None:
        self.settings = settings
        self.ports = ports
        self.mss = mss
        self.mss_limit = mss
        self.clock_offset = clock_offset
        self.now_ns = now_ns
        self.state = State.CLOSED
        self.passive = False
        self.timers = Timers()
        self.sender = Sender(self, self.timers, settings, isn)
        self.receiver = Receiver(0)
        self.window = ReceiveWindow(settings, mss, initial_window(settings, mss), 0)
        self.acks = AckPolicy()
        self.agreed = Agreement.offered(settings)
        self.recent_ms = 0
        """The peer's timestamp that is to be echoed (TS.Recent), as it was on the wire."""
        self.fin_at: int | None = None
        """Where the peer's data ends, once its FIN has come."""
        self.keepalive = Keepalive(settings)
        self.last_heard_ns = now_ns
        self.quiet_until_ns = 0
        """Until when segments out of place get no answer."""
        self.orphaned = False
        """The program has closed it; the rest is ours."""
        self.read_shut = False
        self.send_limit = settings.wmem[1]
        """The bytes that may be written and not acknowledged (SO_SNDBUF)."""
        self.wrote_full = False
        self.failure: Failure | None = None
        self.soft_failure: Failure | None = None
        """What ICMP says of the path, should nothing else be heard."""
        self.out: list[Tcp] = []
        self.signals: list[Signal] = []

    # -- what the owner wants to know

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` is due; None for never."""
        return self.timers.deadline_ns

    @property
    def is_over(self) -> bool:
        return self.state is State.CLOSED

    @property
    def at_end(self) -> bool:
        """All that the peer sent has been read, its FIN as well."""
        return self.receiver.available == 0 and (
            self.read_shut or (self.fin_at is not None and self.receiver.nxt > self.fin_at)
        )

    @property
    def room(self) -> int:
        """How many bytes may be written now."""
        self._widen_buffer()
        return max(0, self.send_limit - len(self.sender.buffer))

    def _widen_buffer(self) -> None:
        """The send buffer grows with the congestion window, which it has to hold twice."""
        segments = 2 * max(self.sender.reno.window, INITIAL_WINDOW)
        wanted = segments * memory_bytes(self.mss_limit)
        self.send_limit = min(max(self.send_limit, wanted), self.settings.wmem[2])

    # -- time and the wire

    def clock_ms(self) -> int:
        return self.now_ns // _MS

    def emit(self, sequence: int, flags: int, payload: bytes) -> None:
        """Queue a segment, with the acknowledgement, window and options of this moment."""
        self.out.append(written(self, sequence, flags, payload))
        if flags & ACK:
            self.acks.acknowledged()
            self.timers.ack_ns = None
        if payload:
            self.acks.data_sent(self.now_ns)

    def send_ack(self) -> None:
        """Say where we are."""
        self.emit(self._acceptable_sequence(), ACK, b"")

    def _acceptable_sequence(self) -> int:
        """SND.NXT, or the end of the window where the peer has drawn that back."""
        sender = self.sender
        return min(sender.nxt, max(sender.window_end, sender.una))

    # -- opening

    def connect(self, now_ns: int) -> None:
        """Send the SYN."""
        self.now_ns = now_ns
        self.move(Event.ACTIVE_OPEN)
        self._send_syn(SYN)

    def accept(self, syn: Tcp, options: TcpOptions, now_ns: int) -> None:
        """Answer a SYN that a listening port has got."""
        self.now_ns = now_ns
        self.passive = True
        self.move(Event.PASSIVE_OPEN)
        self.take_syn(syn, options)
        self.move(Event.SYN)
        self._send_syn(SYN | ACK)

    def _send_syn(self, flags: int) -> None:
        self.sender.send_syn(flags, self.now_ns)
        self.timers.set_sending(Alarm.RETRANSMIT, self.now_ns, self.sender.rtt.rto_us)

    def take_syn(self, syn: Tcp, options: TcpOptions) -> None:
        """The peer's SYN: its sequence number, and what it offers."""
        self.agreed.settle(options)
        self.receiver.nxt = syn.sequence + 1
        if options.timestamps is not None:
            self.recent_ms = options.timestamps[0]
        window = self.window.told
        if self.passive:
            # By now it is known what timestamps take of each segment.
            window = initial_window(self.settings, self.mss - self.agreed.option_bytes)
        self.window = ReceiveWindow(
            self.settings, self.mss - self.agreed.option_bytes, window, self.receiver.nxt
        )
        self.sender.set_window(syn.window, syn.sequence)
        self.sender.sack = self.agreed.sack
        self.sync_mss()

    def established(self) -> None:
        """Both SYNs are acknowledged."""
        self.window.scale = self.agreed.receive_scale or 0
        self.sync_mss()
        self.last_heard_ns = self.now_ns
        self.sender.last_data_ns = self.now_ns
        self.keepalive.schedule(self)
        self.signal(Signal.CONNECTED)

    def sync_mss(self) -> None:
        """Work out how much data a segment may carry: the path, the peer and its window say."""
        mss = max(min(self.mss_limit, self.agreed.mss), LEAST_MSS) - self.agreed.option_bytes
        most = self.sender.most_window
        if most:
            half = most >> 1 if most > _LEAST_HALF else most
            mss = min(mss, max(half, 68 - 20 - self.agreed.option_bytes))
        self.sender.mss = mss

    # -- the program's calls

    def send(self, data: bytes, now_ns: int) -> int:
        """Write as much of ``data`` as there is room for; returns how much that is."""
        self.now_ns = now_ns
        accepted = min(len(data), self.room)
        self.wrote_full = accepted < len(data)
        if accepted:
            self.sender.write(data[:accepted], now_ns)
            if self.state in MAY_SEND:
                self.push()
        return accepted

    def push(self, *, nagle: bool = True) -> None:
        """Send what may leave."""
        sender = self.sender
        if sender.nxt >= sender.end:
            return
        if self.receiver.blocks and self.agreed.sack:
            # SACK blocks take their place from the data.
            spared = 4 + 8 * min(len(self.receiver.blocks), 3)
            whole, sender.mss = sender.mss, sender.mss - spared
            sender.push(self.now_ns, nagle=nagle)
            sender.mss = whole
        else:
            sender.push(self.now_ns, nagle=nagle)

    def push_at(self, now_ns: int) -> None:
        """Send what an option held back."""
        self.now_ns = now_ns
        if self.state in MAY_SEND:
            self.push()

    def restart_keepalive(self, now_ns: int) -> None:
        """Somebody has changed how :attr:`keepalive` is to watch the peer."""
        self.now_ns = now_ns
        self.keepalive.schedule(self)

    def receive(self, most_bytes: int, now_ns: int) -> bytes:
        """Read what is in order; nothing where nothing is."""
        self.now_ns = now_ns
        data = self.receiver.take(most_bytes)
        if data:
            self.window.copied(self.receiver.nxt - self.receiver.available, now_ns)
            # Reading may have made an acknowledgement due, or a window worth telling of.
            if self.acks.pending or self.window.is_narrow(self.receiver.nxt):
                self._tell_of_reading()
        return data

    def _tell_of_reading(self) -> None:
        """Reading may have made an acknowledgement due, or a window worth telling of."""
        if self.state in (State.CLOSED, State.TIME_WAIT, State.SYN_SENT, State.SYN_RECEIVED):
            return
        acks, receiver = self.acks, self.receiver
        unacknowledged = receiver.nxt - self.window.told_at
        small = acks.twice_small or (acks.small and not acks.conversing)
        due = acks.pending and (
            unacknowledged > self.window.segment_bytes or (small and not receiver.available)
        )
        if due or (self.fin_at is None and self.window.reopens(receiver.nxt, receiver.memory)):
            self.send_ack()

    def shutdown(self, now_ns: int) -> None:
        """The program writes no more (SHUT_WR)."""
        self.now_ns = now_ns
        if self.state in (State.ESTABLISHED, State.CLOSE_WAIT):
            self.move(Event.CLOSE)
            self.sender.finish()
            self.push(nagle=False)

    def close(self, now_ns: int) -> None:
        """The program is done. What it has not read, or never will, resets the peer."""
        self.now_ns = now_ns
        self.orphaned = self.read_shut = True
        if self.state in (State.SYN_SENT, State.LISTEN):
            self.end()
        elif self.state is State.SYN_RECEIVED or self.receiver.available:
            self.abort(now_ns)
        elif self.state in (State.ESTABLISHED, State.CLOSE_WAIT):
            self.shutdown(now_ns)
            self.keepalive.watch_orphan(self)
        elif self.state is State.FIN_WAIT_2:
            self.keepalive.watch_orphan(self)

    def abort(self, now_ns: int) -> None:
        """Reset the peer, and be done (SO_LINGER with a time of 0)."""
        self.now_ns = now_ns
        if self.state not in (State.CLOSED, State.LISTEN, State.SYN_SENT, State.TIME_WAIT):
            self.emit(self._acceptable_sequence(), RST | ACK, b"")
        self.orphaned = True
        self.end()

    # -- time

    def wake(self, now_ns: int) -> None:
        """A deadline has come."""
        self.now_ns = now_ns
        timers = self.timers
        if timers.ack_ns is not None and timers.ack_ns <= now_ns:
            timers.ack_ns = None
            if self.acks.pending:
                self.acks.waited(self.sender.rtt.rto_us)
                self.send_ack()
        if timers.sending_ns is not None and timers.sending_ns <= now_ns:
            if gives_up(self):
                return self.time_out()
            self.sender.fire(now_ns)
        if timers.keepalive_ns is not None and timers.keepalive_ns <= now_ns:
            timers.keepalive_ns = None
            self.keepalive.fire(self)
        return None

    # -- the path

    def path_narrowed(self, mss: int, now_ns: int) -> None:
        """A router needs smaller packets: cut what is in flight, and send it again."""
        self.now_ns = now_ns
        if mss >= self.mss_limit:
            return
        self.mss_limit = mss
        before = self.sender.mss
        self.sync_mss()
        if self.sender.mss < before and self.state not in (State.SYN_SENT, State.SYN_RECEIVED):
            self.sender.path_narrowed(now_ns)

    def unreachable(self, failure: Failure, now_ns: int) -> None:
        """ICMP says so: the end of an attempt to connect, a hint later (RFC 5461)."""
        self.now_ns = now_ns
        if self.state in (State.SYN_SENT, State.SYN_RECEIVED):
            self.fail(failure)
        else:
            self.soft_failure = failure

    # -- states

    def move(self, event: Event) -> None:
        self.state = after(self.state, event)

    def signal(self, signal: Signal) -> None:
        if signal not in self.signals:
            self.signals.append(signal)

    def fail(self, failure: Failure) -> None:
        """The connection is no more, and this is why."""
        self.failure = failure
        self.end()

    def time_out(self) -> None:
        """The peer has not been heard for too long; it may have been for a reason."""
        if self.keepalive.probes:
            self.emit(self._acceptable_sequence(), RST | ACK, b"")
        self.fail(self.soft_failure or Failure.TIMED_OUT)

    def end(self) -> None:
        """The connection is no more."""
        self.state = State.CLOSED
        self.timers.clear()
        self.signal(Signal.CLOSED)

    def unfold_ack(self, number: int) -> int:
        return unfold(number, self.sender.una)

    def unfold_echo(self, echo: int) -> int:
        """Our clock when what the echo answers was sent."""
        return unfold(echo - self.clock_offset, self.clock_ms())
