"""The congestion window, in segments: slow start, avoidance, and proportional rate reduction.

RFC 5681 with RFC 3465's counting of what is acknowledged rather than of acknowledgements, RFC
6928's ten segments to begin with, RFC 7661's rule that a window nobody fills does not grow, and
RFC 6937 while it shrinks.
"""

from __future__ import annotations

INITIAL_WINDOW = 10
NO_THRESHOLD = 0x7FFFFFFF
LEAST_THRESHOLD = 2


class Reno:
    """``window`` and ``threshold`` (cwnd and ssthresh) in segments."""

    __slots__ = (
        "_before_loss",
        "_credit",
        "_limited",
        "_most_out",
        "_prr_delivered",
        "_prr_from",
        "_round_ends",
        "_used",
        "_used_since_ns",
        "prr_out",
        "threshold",
        "window",
    )

    def __init__(self) -> None:
        self.window = INITIAL_WINDOW
        self.threshold = NO_THRESHOLD
        self._credit = 0
        """Segments acknowledged towards the next step of congestion avoidance."""
        self._limited = False
        self._most_out = 0
        self._round_ends = 0
        self._used = 0
        self._used_since_ns = 0
        self._before_loss = (0, NO_THRESHOLD)
        self._prr_from = 0
        self._prr_delivered = 0
        self.prr_out = 0

    @property
    def in_slow_start(self) -> bool:
        return self.window < self.threshold

    # -- growing

    def acknowledged(self, segments: int) -> None:
        """So many segments were delivered while nothing was lost."""
        if not self._is_filled():
            return
        if self.in_slow_start:
            grown = min(self.window + segments, self.threshold)
            segments -= grown - self.window
            self.window = grown
        if segments:
            self._avoid(segments)

    def _avoid(self, segments: int) -> None:
        if self._credit >= self.window:
            self._credit = 0
            self.window += 1
        self._credit += segments
        steps, self._credit = divmod(self._credit, self.window)
        self.window += steps

    def _is_filled(self) -> bool:
        """Slow start goes on while half the window is used, avoidance while all of it is."""
        if self.in_slow_start:
            return self._limited or self.window < 2 * self._most_out
        return self._limited

    # -- use

    def validate(self, acknowledged: int, following: int, packets_out: int, limited: bool) -> None:
        """Something may have been sent: how well is the window used in this round?

        ``acknowledged`` and ``following`` are SND.UNA and SND.NXT. ``limited``: only the
        congestion window kept more from being sent.
        """
        if (
            limited
            or acknowledged >= self._round_ends
            or (not self._limited and packets_out > self._most_out)
        ):
            self._limited = limited
            self._most_out = packets_out
            self._round_ends = following

    def decay(self, packets_out: int, now_ns: int, rto_us: int, *, starved: bool) -> None:
        """Give up half of what nobody has used for a timeout's length (RFC 7661).

        ``starved``: it is the program that has nothing to send.
        """
        if self._is_filled():
            self._used = 0
            self._used_since_ns = now_ns
            return
        self._used = max(self._used, packets_out)
        if now_ns - self._used_since_ns >= rto_us * 1000:
            used = max(self._used, INITIAL_WINDOW)
            if starved and used < self.window:
                self.threshold = self._current_threshold()
                self.window = (self.window + used) // 2
            self._used = 0
            self._used_since_ns = now_ns

    def restart_after_idle(self, idle_us: int, rto_us: int, now_ns: int) -> None:
        """Nothing was sent for longer than a timeout: halve the window for each that passed."""
        self.threshold = self._current_threshold()
        least = min(INITIAL_WINDOW, self.window)
        while (idle_us := idle_us - rto_us) > 0 and self.window > least:
            self.window >>= 1
        self.window = max(self.window, least)
        self._used = 0
        self._used_since_ns = now_ns

    def _current_threshold(self) -> int:
        return max(self.threshold, self.window - (self.window >> 2))

    # -- shrinking

    def _remember(self) -> None:
        self._before_loss = (self.window, self.threshold)

    def begin_reduction(self) -> None:
        """Something was lost: on the way to half the window (RFC 6937)."""
        self._remember()
        self._credit = 0
        self._prr_from = self.window
        self._prr_delivered = 0
        self.prr_out = 0
        self.threshold = max(self.window >> 1, LEAST_THRESHOLD)

    def reduce(self, in_flight: int, delivered: int, *, advanced: bool, newly_lost: bool) -> None:
        """An acknowledgement in recovery: the window is what is in flight and may follow.

        ``advanced``: data was acknowledged in order. ``newly_lost``: more of it turned out lost.
        """
        if delivered <= 0 or not self._prr_from:
            return
        self._prr_delivered += delivered
        room = self.threshold - in_flight
        if room < 0:
            share = self.threshold * self._prr_delivered + self._prr_from - 1
            may_send = share // self._prr_from - self.prr_out
        else:
            may_send = max(self._prr_delivered - self.prr_out, delivered)
            if advanced and not newly_lost:
                may_send += 1
            may_send = min(room, may_send)
        # The first retransmission leaves whatever the arithmetic says.
        self.window = in_flight + max(may_send, 0 if self.prr_out else 1)

    def end_reduction(self) -> None:
        self.window = self.threshold

    def timed_out(self, in_flight: int, *, afresh: bool) -> None:
        """The retransmission timer fired. ``afresh``: it was not in such trouble before."""
        if afresh:
            self._remember()
            self.threshold = max(self.window >> 1, LEAST_THRESHOLD)
        self.window = in_flight + 1
        self._credit = 0

    def undo(self) -> None:
        """Nothing had been lost after all."""
        window, threshold = self._before_loss
        self.window = max(self.window, window)
        self.threshold = max(self.threshold, threshold)
