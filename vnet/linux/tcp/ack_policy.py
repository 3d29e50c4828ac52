"""When received data is acknowledged: at once, with the second segment, or 40 ms later.

Linux begins with a run of quick acknowledgements, so that the peer's slow start is not held up,
and returns to them after gaps and losses. Where a conversation goes to and fro it waits for data
to ride on.
"""

from __future__ import annotations

from vnet.linux.tcp.rtt import US_PER_S

LEAST_DELAY_US = 40_000
MOST_DELAY_US = 200_000
_LEAST_GUESS_US = 40_000
_MOST_QUICK = 16
_PAUSE_DELAY_US = US_PER_S // 2
_DEFAULT_MSS = 536


class AckPolicy:
    """``pending`` while something received is not acknowledged yet."""

    __slots__ = (
        "_delay_us",
        "_last_arrival_ns",
        "_last_size",
        "_quick",
        "at_once",
        "conversing",
        "pending",
        "small",
        "twice_small",
    )

    def __init__(self) -> None:
        self.pending = False
        self.at_once = False
        """Whether the next acknowledgement may not wait, whatever else holds."""
        self.conversing = False
        """Whether what is received is usually answered (pingpong mode)."""
        self.small = False
        """A segment that was not full came since the last acknowledgement."""
        self.twice_small = False
        self._quick = 0
        self._delay_us = 0
        self._last_arrival_ns = 0
        self._last_size = 0

    @property
    def is_quick(self) -> bool:
        return self._quick > 0 and not self.conversing

    def be_quick(self, window: int, segment_bytes: int, most: int = _MOST_QUICK) -> None:
        """Acknowledge each of the next segments at once."""
        count = window // (2 * segment_bytes) or 2
        self._quick = max(self._quick, min(count, most))

    def hurry(self, window: int, segment_bytes: int, most: int = _MOST_QUICK) -> None:
        """Something is amiss: quick acknowledgements from here on."""
        self.be_quick(window, segment_bytes, most)
        self.conversing = False
        self._delay_us = _LEAST_GUESS_US

    def grown(self) -> None:
        """The window has grown: that is worth telling."""
        self._quick |= 1

    def cramped(self) -> None:
        """Half of the buffer is taken: there is nothing to be quick about."""
        self._quick = 0

    def data_arrived(self, length: int, window: int, segment_bytes: int, now_ns: int) -> None:
        """Data came, full segments having ``segment_bytes``; how soon will more come?"""
        self.pending = True
        if length >= segment_bytes:
            self._last_size = 0
        else:
            self._note_size(length)
        if self._delay_us == 0:
            self.be_quick(window, segment_bytes)
            self._delay_us = _LEAST_GUESS_US
        else:
            gap_us = (now_ns - self._last_arrival_ns) // 1000
            if gap_us <= _LEAST_GUESS_US // 2:
                self._delay_us = self._delay_us // 2 + _LEAST_GUESS_US // 2
            elif gap_us < self._delay_us:
                self._delay_us = self._delay_us // 2 + gap_us
        self._last_arrival_ns = now_ns

    def paused(self, rto_us: int, now_ns: int) -> bool:
        """Whether the peer was silent for so long that it may be in slow start again."""
        return bool(self._delay_us) and now_ns - self._last_arrival_ns > rto_us * 1000

    def _note_size(self, length: int) -> None:
        """A segment was not full; one that is as large as the one before may be after all."""
        if length >= _DEFAULT_MSS and length == self._last_size:
            return
        self._last_size = length if length >= _DEFAULT_MSS else 0
        self.twice_small = self.small
        self.small = True

    def data_sent(self, now_ns: int) -> None:
        """We sent data; if that is soon after some was received, this is a conversation."""
        if self._last_arrival_ns and now_ns - self._last_arrival_ns < self._delay_us * 1000:
            self.conversing = True

    def delay_us(self, smoothed_us: int) -> int:
        """How long an acknowledgement may wait."""
        delay_us = self._delay_us
        if delay_us > LEAST_DELAY_US:
            most_us = _PAUSE_DELAY_US
            if self.conversing or self.small:
                most_us = MOST_DELAY_US
            if smoothed_us:
                most_us = min(most_us, max(smoothed_us, LEAST_DELAY_US))
            delay_us = min(delay_us, most_us)
        return min(delay_us or LEAST_DELAY_US, MOST_DELAY_US)

    def waited(self, rto_us: int) -> None:
        """An acknowledgement was delayed, and nothing came to ride on."""
        if self.conversing:
            self.conversing = False
            self._delay_us = _LEAST_GUESS_US
        else:
            self._delay_us = min(self._delay_us << 1, rto_us)

    def acknowledged(self) -> None:
        """A segment left, and each carries an acknowledgement."""
        if self._quick:
            self._quick -= 1
            if not self._quick:
                self._delay_us = _LEAST_GUESS_US
        self.pending = self.at_once = self.small = self.twice_small = False
