"""The receive window: how large it is to begin with, how it grows, and when it is told.

RFC 9293 section 3.8.6.2 (no silly windows), and the kernel's own rules: the window opens by two
segments with each that arrives, and the buffer doubles with what a program reads in a round trip.
"""

from __future__ import annotations

from vnet.linux.tcp.memory import (
    RATIO_SHIFT,
    UNKNOWN_RATIO,
    memory_bytes,
    memory_for,
    window_of,
)
from vnet.linux.tcp.settings import TcpSettings

MOST_UNSCALED = 65_535
_SCALE_FROM = 15
_SMALL_BYTES = 128
_INITIAL_SEGMENTS = 10


def window_scale(settings: TcpSettings) -> int:
    """The shift to ask for: enough for the largest buffer there may ever be."""
    return min(max(settings.rmem[2].bit_length() - 1 - _SCALE_FROM, 0), 14)


def initial_window(settings: TcpSettings, mss: int) -> int:
    """What SYN and SYN-ACK advertise: half the buffer, in whole segments."""
    room = min(window_of(settings.rmem[1], UNKNOWN_RATIO), MOST_UNSCALED << 14)
    return min(room // mss * mss or room, MOST_UNSCALED)


class ReceiveWindow:
    """``told`` is what was advertised last, from the sequence number ``told_at`` on."""

    __slots__ = (
        "_clamp",
        "_copied_at",
        "_copied_bytes",
        "_measured_ns",
        "_mss",
        "_ratio",
        "_round_from_ns",
        "_round_to",
        "_rtt_us",
        "_settings",
        "_threshold",
        "buffer_bytes",
        "cramped",
        "scale",
        "segment_bytes",
        "told",
        "told_at",
    )

    def __init__(self, settings: TcpSettings, mss: int, window: int, nxt: int) -> None:
        self._settings = settings
        self._mss = mss
        self.buffer_bytes = settings.rmem[1]
        self._ratio = UNKNOWN_RATIO
        self._clamp = window_of(self.buffer_bytes, self._ratio)
        self._threshold = window
        self.scale = 0
        self.told = window
        self.told_at = nxt
        self.segment_bytes = max(min(mss, window // 2, 536), 88)
        """The peer's full segments, as far as has been seen (rcv_mss)."""
        self.cramped = False
        """Whether more than half of the buffer was taken when the window was last worked out."""
        self._copied_at = nxt
        self._copied_bytes = min(window, _INITIAL_SEGMENTS * mss)
        self._measured_ns = 0
        self._rtt_us = 0
        self._round_to = 0
        self._round_from_ns = 0

    def remaining(self, nxt: int) -> int:
        """What the peer may still send, from ``nxt`` on."""
        return max(0, self.told_at + self.told - nxt)

    # -- telling it

    def tell(self, nxt: int, memory: int) -> int:
        """The window field of a segment that leaves now."""
        promised = self.told_at + self.told - nxt
        window = self.select(memory)
        if window < promised:
            window = self._aligned(promised)  # what was promised is kept
        self.told, self.told_at = window, nxt
        window >>= self.scale
        return window if window < MOST_UNSCALED else MOST_UNSCALED

    def select(self, memory: int) -> int:
        """The window that there is room for, ``memory`` bytes being taken."""
        ratio = self._ratio
        whole = self.buffer_bytes * ratio >> RATIO_SHIFT
        room = (self.buffer_bytes - memory) * ratio >> RATIO_SHIFT
        full = self._clamp if self._clamp < whole else whole
        mss = self.segment_bytes if self.segment_bytes < full else full
        self.cramped = room < full >> 1
        scale = self.scale
        room = room >> scale << scale
        if room < whole >> 4 or room < mss:
            return 0
        if room > self._threshold:
            room = self._threshold
        if scale:
            return self._aligned(room)
        if self.told <= room - mss or self.told > room:
            return room - room % mss
        if mss == full and room > self.told + (full >> 1):
            return room
        return self.told

    def is_narrow(self, nxt: int) -> bool:
        """Whether the peer may send less than half of what it ever might."""
        return 2 * (self.told_at + self.told - nxt) <= self._clamp

    def reopens(self, nxt: int, memory: int) -> bool:
        """Whether the window has so much grown by reading that the peer must hear of it."""
        if not self.is_narrow(nxt):
            return False
        window = self.select(memory)
        return bool(window) and window >= 2 * self.remaining(nxt)

    def _aligned(self, window: int) -> int:
        """Rounded up, so that nothing of it is lost in scaling."""
        unit = 1 << self.scale
        return -(-window // unit) * unit

    # -- growing

    def arrived(self, length: int, memory: int, *, in_order: bool) -> bool:
        """A segment with data came; True if the window has grown.

        ``memory`` is what is taken with it.
        """
        if length > self.segment_bytes:
            self._learn_ratio(length)
            self.segment_bytes = min(length, self._mss)
        if not in_order or length < _SMALL_BYTES:
            return False
        room = (self.buffer_bytes - memory) * self._ratio >> RATIO_SHIFT
        if room > self._clamp:
            room = self._clamp
        room -= self._threshold
        if room <= 0:
            return False
        growth = self._growth(length)
        self._threshold += min(room, growth)
        return growth > 0

    def _learn_ratio(self, length: int) -> None:
        self._ratio = min(max((length << RATIO_SHIFT) // memory_bytes(length), 1), 255)
        self._clamp = window_of(self.buffer_bytes, self._ratio)

    def _growth(self, length: int) -> int:
        worth = window_of(memory_bytes(length), self._ratio)
        if worth <= length:
            return max(2 * self._mss, 2 * length)
        # Small segments waste memory: the window grows with them only while it is small.
        worth >>= 1
        limit = window_of(self._settings.rmem[2], self._ratio) >> 1
        while self._threshold <= limit:
            if worth <= length:
                return max(2 * self.segment_bytes, 2 * length)
            worth >>= 1
            limit >>= 1
        return 0

    # -- the buffer

    def measure(self, nxt: int, now_ns: int) -> None:
        """Estimate the round-trip time by how long a window takes to arrive."""
        if not self._round_to:
            self._round_from_ns = now_ns
        elif nxt < self._round_to:
            return
        else:
            rtt_us = max((now_ns - self._round_from_ns) // 1000, 1)
            self._rtt_us = min(self._rtt_us, rtt_us) if self._rtt_us else rtt_us
            self._round_from_ns = now_ns
        self._round_to = nxt + self.told

    def round_trip(self, rtt_us: int) -> None:
        """A timestamp's echo told the round-trip time."""
        rtt_us = max(rtt_us, 1)
        self._rtt_us = rtt_us if not self._rtt_us else (self._rtt_us * 7 + rtt_us) // 8

    def copied(self, sequence: int, now_ns: int) -> None:
        """The program has read up to ``sequence``: twice a round trip's reading should fit."""
        if not self._rtt_us or now_ns - self._measured_ns < self._rtt_us * 1000:
            return
        copied = sequence - self._copied_at
        if copied > self._copied_bytes:
            window = 2 * copied + 16 * self._mss
            window += 2 * (window * (copied - self._copied_bytes) // self._copied_bytes)
            wanted = min(memory_for(window, self._ratio), self._settings.rmem[2])
            if wanted > self.buffer_bytes:
                self.buffer_bytes = wanted
                self._clamp = window_of(wanted, self._ratio)
            self._copied_bytes = copied
        self._copied_at = sequence
        self._measured_ns = now_ns
