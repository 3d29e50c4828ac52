"""What a sender asks when it hears nothing: tail loss probes, and probes of a closed window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.tcp.recovery import Mood
from vnet.linux.tcp.rtt import LEAST_RTO_US, MOST_RTO_US
from vnet.linux.tcp.timers import Alarm

if TYPE_CHECKING:
    from vnet.linux.tcp.sender import Sender

_LEAST_US = 2_000
_LATE_ACK_US = LEAST_RTO_US
"""A lone segment's acknowledgement may be delayed by so much."""


class LossProbe:
    """RFC 8985 section 7: after two round trips of silence, send the last segment once more.

    Whoever lost the tail of a flight then hears of it by SACK, and need not wait for the
    retransmission timer.
    """

    __slots__ = ("_resent", "_sender", "end")

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.end: int | None = None
        """SND.NXT when the probe was sent; None while none is out."""
        self._resent = False

    def schedule(self, now_ns: int, *, advancing: bool = False) -> bool:
        """Set the timer for a probe, if one may be sent; ``advancing`` from the present."""
        sender = self._sender
        board = sender.board
        if not board.segments or not sender.sack or sender.recovery.mood is not Mood.OPEN:
            return False
        if sender.rtt.smoothed_us:
            wait_us = sender.rtt.smoothed_x8_us >> 2
            wait_us += _LATE_ACK_US if len(board.segments) == 1 else _LEAST_US
        else:
            wait_us = sender.rtt.rto_us
        timeout_us = sender.rtt.rto_us if advancing else sender.until_timeout_us(now_ns)
        if timeout_us > 0:
            wait_us = min(wait_us, timeout_us)
        sender.timers.set_sending(Alarm.LOSS_PROBE, now_ns, wait_us)
        return True

    def fire(self, now_ns: int) -> None:
        """Send something new if there is any, the last segment if not."""
        sender = self._sender
        if self.end is None and sender.board.segments:
            self._resent = False
            if sender.may_send_new:
                sender.send_one_new(now_ns)
            else:
                sender.resend(sender.board.segments[-1], now_ns)
                self._resent = True
            self.end = sender.nxt
        sender.rearm(now_ns)

    def answered(self, acknowledged: int, *, repeated: bool, quiet: bool) -> None:
        """An acknowledgement came in while a probe was out.

        ``repeated``: it reports a second copy. ``quiet``: it is a mere duplicate.
        """
        if self.end is None or acknowledged < self.end:
            return
        if not self._resent or repeated:
            self.end = None  # new data arrived, or the original had: nothing was lost
        elif acknowledged > self.end:
            # The probe itself mended a loss, which the window has to answer for.
            self.end = None
            self._sender.reno.begin_reduction()
            self._sender.reno.end_reduction()
        elif quiet:
            self.end = None


class WindowProbe:
    """RFC 9293 section 3.8.6.1: the peer's window is closed, and nobody says when it opens."""

    __slots__ = ("_sender", "sent")

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.sent = 0
        """Probes in a row, each twice as late as the one before."""

    def begin(self, now_ns: int) -> None:
        """Nothing is in flight, and nothing may be sent."""
        base_us = max(self._sender.rtt.rto_us, LEAST_RTO_US)
        self._sender.timers.set_sending(
            Alarm.WINDOW_PROBE, now_ns, min(base_us << min(self.sent, 10), MOST_RTO_US)
        )

    def fire(self, now_ns: int) -> None:
        """Send what the window takes, or a segment that only asks."""
        sender = self._sender
        if sender.board.segments or not sender.has_new:
            self.sent = 0
            return
        self.sent += 1
        if sender.may_send_new:
            sender.send_one_new(now_ns)
            return
        sender.ask()
        self.begin(now_ns)

    def answered(self, now_ns: int) -> None:
        """An acknowledgement came in while nothing was in flight."""
        if self._sender.may_send_new:
            self.sent = 0
            if self._sender.timers.alarm is Alarm.WINDOW_PROBE:
                self._sender.timers.clear_sending()
        elif self._sender.has_new:
            self.begin(now_ns)
