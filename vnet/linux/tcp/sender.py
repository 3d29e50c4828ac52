"""The sending half of a connection: what leaves, what acknowledgements do, what timeouts do."""

from __future__ import annotations

from typing import Protocol

from vnet.linux.tcp.acks import Blocks, acknowledged
from vnet.linux.tcp.chunks import next_chunk
from vnet.linux.tcp.probes import LossProbe, WindowProbe
from vnet.linux.tcp.rack import Rack
from vnet.linux.tcp.recovery import Mood, Recovery
from vnet.linux.tcp.reno import Reno
from vnet.linux.tcp.rtt import RttEstimator
from vnet.linux.tcp.scoreboard import Scoreboard, Sent
from vnet.linux.tcp.send_buffer import SendBuffer
from vnet.linux.tcp.settings import TcpSettings
from vnet.linux.tcp.timers import Alarm, Timers
from vnet.wire.tcp import ACK, FIN, PSH, SYN

_TIMER_SLACK_US = 2_000
_DEFAULT_MSS = 536


class Wire(Protocol):
    """How a sender has its segments sent: the rest of the connection fills in the header."""

    def emit(self, sequence: int, flags: int, payload: bytes) -> None:
        """Send one segment now."""

    def clock_ms(self) -> int:
        """The present value of our timestamp clock, which does not wrap."""


class Sender:
    """``una``, ``nxt`` and ``window`` are RFC 9293's SND.UNA, SND.NXT and SND.WND."""

    __slots__ = (
        "board",
        "buffer",
        "bytes_acked",
        "bytes_resent",
        "corked",
        "fin_sequence",
        "last_data_ns",
        "last_sent_ns",
        "last_small_end",
        "loss_probe",
        "most_window",
        "mss",
        "nodelay",
        "nxt",
        "progressed",
        "rack",
        "recovery",
        "reno",
        "resent_total",
        "retries",
        "rtt",
        "sack",
        "settings",
        "timers",
        "una",
        "window",
        "window_from",
        "window_probe",
        "wire",
    )

    def __init__(self, wire: Wire, timers: Timers, settings: TcpSettings, isn: int) -> None:
        self.wire = wire
        self.timers = timers
        self.settings = settings
        self.una = self.nxt = isn
        self.buffer = SendBuffer(isn + 1)
        self.fin_sequence: int | None = None
        self.mss = _DEFAULT_MSS
        self.sack = False
        self.window = 0
        self.most_window = 0
        self.window_from = 0
        """The sequence number of the segment that told of the window (SND.WL1)."""
        self.nodelay = False
        self.corked = False
        self.board = Scoreboard()
        self.reno = Reno()
        self.rtt = RttEstimator()
        self.rack = Rack()
        self.recovery = Recovery(self)
        self.loss_probe = LossProbe(self)
        self.window_probe = WindowProbe(self)
        self.progressed = False
        """Whether the peer has lately answered what we sent: then its next hop is there."""
        self.retries = 0
        """Timeouts in a row."""
        self.resent_total = 0
        self.bytes_resent = 0
        self.bytes_acked = 0
        self.last_data_ns = 0
        self.last_sent_ns = 0
        self.last_small_end = isn

    # -- what there is to send

    @property
    def window_end(self) -> int:
        return self.una + self.window

    @property
    def end(self) -> int:
        """The sequence number behind all that is to be sent, a FIN included."""
        return self.buffer.end if self.fin_sequence is None else self.fin_sequence + 1

    @property
    def has_new(self) -> bool:
        """Something was never sent."""
        return self.nxt < self.end

    @property
    def may_send_new(self) -> bool:
        """Something was never sent, and the peer's window has room for it."""
        return self.nxt < min(self.end, self.window_end)

    @property
    def is_at_ease(self) -> bool:
        """Nothing is lost, in doubt, or probed for."""
        return self.recovery.mood is Mood.OPEN and self.loss_probe.end is None

    def set_window(self, window: int, sequence: int) -> None:
        self.window = window
        self.window_from = sequence
        self.most_window = max(self.most_window, window)

    def write(self, data: bytes, now_ns: int) -> None:
        """The program has more to send."""
        idle_us = (now_ns - self.last_data_ns) // 1000
        if (
            self.settings.slow_start_after_idle
            and not self.board.segments
            and self.last_data_ns
            and idle_us > self.rtt.rto_us
        ):
            self.reno.restart_after_idle(idle_us, self.rtt.rto_us, now_ns)
        self.buffer.append(data)

    def finish(self) -> None:
        """The FIN goes behind what is still to be sent."""
        if self.fin_sequence is None:
            self.fin_sequence = self.buffer.end

    # -- sending

    def send_syn(self, flags: int, now_ns: int) -> None:
        """Send the SYN, which is in flight like anything else."""
        self.board.add(Sent(self.una, self.una + 1, flags, now_ns))
        self.nxt = self.una + 1
        self.wire.emit(self.una, flags, b"")

    def push(self, now_ns: int, *, nagle: bool = True) -> None:
        """Send what may be sent now. Without ``nagle`` small segments need not wait."""
        sent = limited = False
        while self.nxt < self.end:
            size, limited = next_chunk(self, now_ns, nagle=nagle)
            if not size:
                break
            self._send_new(size, now_ns)
            sent = True
        if sent:
            self.loss_probe.schedule(now_ns)
            self._validate(limited or self.board.in_flight >= self.reno.window, now_ns)
        elif not self.board.segments and self.has_new and self.timers.alarm is None:
            self.window_probe.begin(now_ns)

    def send_one_new(self, now_ns: int) -> None:
        """Send one segment of what is new, as much of it as the peer's window takes."""
        size = min(self.mss, self.end - self.nxt, self.window_end - self.nxt)
        self._send_new(size, now_ns)

    def _send_new(self, size: int, now_ns: int) -> None:
        """Send ``size`` more of the sequence space: one chunk."""
        began_empty = not self.board.segments
        chunk_end = self.nxt + size
        mss = self.mss
        buffer = self.buffer
        several = min(chunk_end, buffer.end) - self.nxt > mss
        while self.nxt < chunk_end:
            sequence = self.nxt
            data = buffer.slice(sequence, min(sequence + mss, chunk_end))
            end = sequence + len(data)
            flags = ACK
            if end == chunk_end - 1 and end == self.fin_sequence:
                flags |= FIN
                end += 1
            if data and sequence + len(data) == buffer.end:
                flags |= PSH
            if data and len(data) < mss:
                self.last_small_end = end
            # The last of a chunk is pushed, but only the first time.
            pushed = PSH if several and end == chunk_end else 0
            segment = Sent(sequence, end, flags, now_ns)
            segment.chunk = chunk_end
            self.board.add(segment)
            self.nxt = end
            if self.recovery.shrinking:
                self.reno.prr_out += 1
            self.wire.emit(sequence, flags | pushed, data)
        self.last_sent_ns = self.last_data_ns = now_ns
        if began_empty or self.timers.alarm is Alarm.LOSS_PROBE:
            self.rearm(now_ns)

    def resend(self, segment: Sent, now_ns: int) -> None:
        """Send a segment again."""
        if segment.flags & SYN:
            data = b""
        else:
            data = self.buffer.slice(segment.sequence, segment.end)
        self.board.resend(segment, now_ns)
        self.resent_total += 1
        self.bytes_resent += len(data)
        self.recovery.resent(self.wire.clock_ms())
        self.last_sent_ns = now_ns
        self.wire.emit(segment.sequence, segment.flags, data)

    def resend_lost(self, now_ns: int) -> None:
        """Send again what is lost, as far as the congestion window has room."""
        while self.board.in_flight < self.reno.window:
            segment = self.board.next_to_resend()
            if segment is None or segment.sequence >= self.window_end:
                return
            self.resend(segment, now_ns)
            if self.recovery.shrinking:
                self.reno.prr_out += 1
            if segment is self.board.segments[0] and self.timers.alarm is not Alarm.REORDERING:
                self.timers.set_sending(Alarm.RETRANSMIT, now_ns, self.rtt.rto_us)

    def ask(self) -> None:
        """Send a segment that lies before the window, so that the peer has to answer it."""
        self.wire.emit(self.una - 1, ACK, b"")

    def _validate(self, limited: bool, now_ns: int) -> None:
        out = len(self.board.segments)
        self.reno.validate(self.una, self.nxt, out, limited)
        if self.settings.slow_start_after_idle:
            starved = self.recovery.mood is Mood.OPEN and not self.has_new
            self.reno.decay(out, now_ns, self.rtt.rto_us, starved=starved)

    def syn_acknowledged(self, now_ns: int, echo_ms: int | None) -> None:
        """The peer has our SYN: data may follow."""
        syn = next(self.board.acknowledge(self.una + 1))
        self.una += 1
        if not syn.ever_resent:
            self.rtt.sample((now_ns - syn.sent_ns) // 1000, self.una, self.nxt)
        elif echo_ms is not None:
            self.rtt.sample((self.wire.clock_ms() - echo_ms) * 1000, self.una, self.nxt)
        if self.resent_total > 1:
            self.reno.window = 1  # RFC 5681 section 3.1, as Linux reads it
        self.retries = 0
        self.timers.clear_sending()

    def acknowledged(
        self,
        acknowledgement: int,
        blocks: Blocks,
        now_ns: int,
        *,
        echo_ms: int | None,
        says_more: bool,
    ) -> None:
        """An acceptable acknowledgement came in; see :mod:`~vnet.linux.tcp.acks`."""
        acknowledged(self, acknowledgement, blocks, now_ns, echo_ms=echo_ms, says_more=says_more)

    def path_narrowed(self, now_ns: int) -> None:
        """Segments have become smaller: those that are too large now are lost for sure."""
        too_large = [s for s in self.board.segments if s.end - s.sequence > self.mss]
        for segment in too_large:
            if not segment.sacked:
                self.board.mark_lost(segment)
        self.board.split(self.mss)
        if self.board.lost_out:
            self.recovery.path_narrowed()
            self.resend_lost(now_ns)

    # -- duplicates, where the peer has no SACK

    def count_duplicate(self) -> None:
        """A duplicate acknowledgement: one more segment has arrived somewhere."""
        board = self.board
        holes = max(board.lost_out, 1)
        board.sacked_out = max(0, min(board.sacked_out + 1, len(board.segments) - holes))

    def forget_duplicates(self) -> None:
        if not self.sack:
            self.board.sacked_out = 0

    def find_lost(self, now_ns: int, *, partial: bool) -> None:
        """Mark what must be lost; ``partial``: an ACK covered some of what was, and not all."""
        board = self.board
        if not self.sack:
            recovering = self.recovery.mood is Mood.RECOVERY
            if board.segments and (
                partial if recovering else board.sacked_out >= self.rack.reordering
            ):
                board.mark_lost(board.segments[0])
            return
        wait_us = self.rack.detect(
            board,
            now_ns,
            least_rtt_us=self.rtt.least_us,
            smoothed_us=self.rtt.smoothed_us,
            recovering=self.recovery.mood in (Mood.RECOVERY, Mood.LOSS),
        )
        if wait_us:
            self.timers.set_sending(Alarm.REORDERING, now_ns, wait_us + _TIMER_SLACK_US)
        elif self.timers.alarm is Alarm.REORDERING:
            self.rearm(now_ns)

    # -- timers

    def until_timeout_us(self, now_ns: int) -> int:
        """How far off the timeout of the first segment in flight is."""
        first = self.board.segments[0]
        return self.rtt.rto_us - (now_ns - first.sent_ns) // 1000

    def rearm(self, now_ns: int) -> None:
        """Set the retransmission timer anew, or stop it where nothing is in flight."""
        if not self.board.segments:
            return self.timers.clear_sending()
        delay_us = self.rtt.rto_us
        if self.timers.alarm in (Alarm.LOSS_PROBE, Alarm.REORDERING):
            delay_us = max(self.until_timeout_us(now_ns), 1)
        return self.timers.set_sending(Alarm.RETRANSMIT, now_ns, delay_us)

    def set_timer(self, now_ns: int) -> None:
        if not self.loss_probe.schedule(now_ns, advancing=True):
            self.rearm(now_ns)

    def fire(self, now_ns: int) -> None:
        """The sending side's timer went off."""
        alarm = self.timers.alarm
        self.timers.clear_sending()
        if alarm is Alarm.LOSS_PROBE:
            self.loss_probe.fire(now_ns)
        elif alarm is Alarm.WINDOW_PROBE:
            self.window_probe.fire(now_ns)
        elif alarm is Alarm.REORDERING:
            self._reordering_ended(now_ns)
        elif self.board.segments:
            self._timed_out(now_ns)

    def _reordering_ended(self, now_ns: int) -> None:
        before = self.board.in_flight
        self.find_lost(now_ns, partial=False)
        if self.board.in_flight != before:
            self.recovery.found_lost()
            if self.recovery.shrinking:
                lost = before - self.board.in_flight
                self.reno.reduce(self.board.in_flight, 1, advanced=False, newly_lost=lost > 0)
            self.resend_lost(now_ns)
        if self.timers.alarm is None:
            self.rearm(now_ns)

    def _timed_out(self, now_ns: int) -> None:
        board = self.board
        if board.segments[0].flags & SYN:
            return self._syn_timed_out(now_ns)
        afresh = self.recovery.timed_out()
        self.loss_probe.end = None
        if board.segments[0].sacked:
            board.forget_sacks()
        for segment in board.segments:
            recent = segment is not board.segments[0] and self.sack
            if segment.sacked or (recent and self.rack.remaining_us(segment, now_ns) > 0):
                continue
            board.mark_lost(segment)
        self.forget_duplicates()
        self.reno.timed_out(board.in_flight, afresh=afresh)
        self.retries += 1
        segment = board.segments[0]
        self.resend(segment, now_ns)
        self.rtt.back_off()
        self.timers.set_sending(Alarm.RETRANSMIT, now_ns, self.rtt.rto_us)
        return None

    def _syn_timed_out(self, now_ns: int) -> None:
        """Once more; the first few times at a steady pace (net.ipv4.tcp_syn_linear_timeouts)."""
        syn = self.board.segments[0]
        self.retries += 1
        if syn.flags & ACK or self.retries > self.settings.syn_linear_timeouts:
            self.rtt.back_off()
        self.resend(syn, now_ns)
        self.timers.set_sending(Alarm.RETRANSMIT, now_ns, self.rtt.rto_us)
