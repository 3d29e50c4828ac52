"""Which segments are lost: recent acknowledgement (RFC 8985), or three duplicates.

A segment is lost when one that was sent after it has arrived, and so much time has passed that
it can hardly be late. How long that is depends on whether this path reorders at all.
"""

from __future__ import annotations

from vnet.linux.tcp.scoreboard import Scoreboard, Sent

DUPLICATES = 3
"""Segments that must have overtaken one before it is lost at once (DupThresh)."""

_MOST_REORDERING = 300
_MS = 1_000_000


class Rack:
    """The youngest segment known to have arrived, and what follows for those before it."""

    __slots__ = (
        "_newest",
        "_rtt_us",
        "reordering",
        "reordering_seen",
        "window_steps",
    )

    def __init__(self) -> None:
        self._newest = 0
        """The order of the youngest segment that has arrived; 0 while none has."""
        self._rtt_us = 0
        self.reordering = DUPLICATES
        self.reordering_seen = False
        self.window_steps = 1
        """Quarters of the least round-trip time that a segment may be late."""

    def arrived(
        self, segment: Sent, now_ns: int, least_rtt_us: int, echo_ms: int | None = None
    ) -> None:
        """A segment was acknowledged, in order or by SACK; ``echo_ms`` is the timestamp echo of
        what is in order, None for what is not: there it tells of another segment.

        Where it had been sent again, that may have been for the original's sake: if the time was
        too short for the copy, or the echo is older (RFC 8985 section 6.2, step 2).
        """
        rtt_us = (now_ns - segment.sent_ns) // 1000
        if segment.ever_resent and (
            rtt_us < least_rtt_us or (echo_ms is not None and echo_ms < segment.sent_ns // _MS)
        ):
            return
        self._rtt_us = rtt_us
        self._newest = max(self._newest, segment.order)

    def overtaken(self, segment: Sent, board: Scoreboard, mss: int) -> None:
        """``segment``, never sent again, arrived after one that was sent later."""
        distance = (board.highest_sacked - segment.sequence) // max(mss, 1)
        if distance > 0:
            self.reordering = max(self.reordering, min(distance, _MOST_REORDERING))
            self.reordering_seen = True

    def widen(self) -> None:
        """Something had been sent again needlessly: wait a quarter round trip longer."""
        self.window_steps = min(self.window_steps + 1, 255)

    def detect(
        self,
        board: Scoreboard,
        now_ns: int,
        *,
        least_rtt_us: int,
        smoothed_us: int,
        recovering: bool,
    ) -> int:
        """Mark what is lost by now; the rest is to be looked at again in so many microseconds,
        0 for never."""
        if not self._newest:
            return 0
        late_us = self._window_us(board, least_rtt_us, smoothed_us, recovering)
        wait_us = 0
        lost = []
        for segment in board.by_time:
            if segment.order >= self._newest:
                break
            remaining_us = self.remaining_us(segment, now_ns, late_us)
            if remaining_us <= 0:
                lost.append(segment)
            else:
                wait_us = max(wait_us, remaining_us)
        for segment in lost:
            board.mark_lost(segment)
        return wait_us

    def remaining_us(self, segment: Sent, now_ns: int, late_us: int = 0) -> int:
        """How long a segment may still take before it counts as lost."""
        return self._rtt_us + late_us - (now_ns - segment.sent_ns) // 1000

    def _window_us(
        self, board: Scoreboard, least_rtt_us: int, smoothed_us: int, recovering: bool
    ) -> int:
        if not self.reordering_seen and (recovering or board.sacked_out >= self.reordering):
            return 0
        return min((least_rtt_us >> 2) * self.window_steps, smoothed_us)
