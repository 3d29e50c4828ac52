"""The receiving half of a connection: bytes in order for the program, and what SACK tells."""

from __future__ import annotations

from bisect import bisect_left
from enum import Enum

from vnet.linux.tcp.memory import memory_bytes

MOST_BLOCKS = 4


class Arrival(Enum):
    """What became of a segment's data."""

    IN_ORDER = 0
    OUT_OF_ORDER = 1
    DUPLICATE = 2
    BEYOND = 3
    """It lies outside the window."""


class Receiver:
    """``nxt`` is RCV.NXT. What is in order waits in ``take``'s hands, the rest here.

    ``blocks`` are what SACK reports, the latest first. ``repeat`` is data that came twice, to be
    reported once (RFC 2883).
    """

    __slots__ = (
        "_early",
        "_early_memory",
        "_ready",
        "_ready_memory",
        "_starts",
        "blocks",
        "filled",
        "nxt",
        "received",
        "repeat",
    )

    def __init__(self, nxt: int) -> None:
        self.nxt = nxt
        self._ready = bytearray()
        self._ready_memory = 0
        self._starts: list[int] = []
        self._early: list[bytes] = []
        """Data that came before its turn; no two overlap."""
        self._early_memory = 0
        self.blocks: list[tuple[int, int]] = []
        self.repeat: tuple[int, int] | None = None
        self.filled = False
        """Whether the last segment filled a hole: that is acknowledged at once."""
        self.received = 0

    # -- what the program has

    @property
    def available(self) -> int:
        """Bytes that can be read."""
        return len(self._ready)

    @property
    def memory(self) -> int:
        """The memory that unread and early data take."""
        return self._ready_memory + self._early_memory

    @property
    def is_gapped(self) -> bool:
        """Whether something came before its turn."""
        return bool(self._starts)

    @property
    def early_bytes(self) -> int:
        return sum(map(len, self._early))

    def take(self, most_bytes: int) -> bytes:
        """Give the program what is in order."""
        ready = self._ready
        if most_bytes >= len(ready):
            self._ready = bytearray()
            self._ready_memory = 0
            return bytes(ready)
        data = bytes(ready[:most_bytes])
        del ready[:most_bytes]
        self._ready_memory = self._ready_memory * len(ready) // (len(ready) + most_bytes)
        return data

    # -- what arrives

    def arrived(self, sequence: int, data: bytes, window_end: int) -> Arrival:
        """A segment's data; ``window_end`` is where the advertised window ends."""
        end = sequence + len(data)
        self.filled = False
        if end <= self.nxt:
            self._report_repeat(sequence, end)
            return Arrival.DUPLICATE
        if sequence >= window_end and sequence > self.nxt:
            return Arrival.BEYOND
        if sequence > self.nxt:
            return self._keep(sequence, data)
        if self.nxt >= window_end:
            return Arrival.BEYOND
        if sequence < self.nxt:
            self._report_repeat(sequence, self.nxt)
            data = data[self.nxt - sequence :]
        self._append(data)
        if self._starts:
            self._fill()
        return Arrival.IN_ORDER

    def _append(self, data: bytes) -> None:
        self._ready += data
        self._ready_memory += memory_bytes(len(data))
        self.nxt += len(data)
        self.received += len(data)

    def _report_repeat(self, start: int, end: int) -> None:
        self.repeat = (start, end)

    def _keep(self, sequence: int, data: bytes) -> Arrival:
        """Put early data in its place, as much of it as is new."""
        whole_end = end = sequence + len(data)
        start = sequence
        starts, early = self._starts, self._early
        at = bisect_left(starts, start)
        if at and starts[at - 1] + len(early[at - 1]) > start:
            start = starts[at - 1] + len(early[at - 1])
        new = 0
        while start < end:
            upto = min(end, starts[at]) if at < len(starts) else end
            if start < upto:
                piece = data[start - sequence : upto - sequence]
                starts.insert(at, start)
                early.insert(at, piece)
                self._early_memory += memory_bytes(len(piece))
                new += len(piece)
                at += 1
            if at >= len(starts):
                break
            start = max(upto, starts[at] + len(early[at]))
            at += 1
        if new < len(data):
            self._report_repeat(sequence, whole_end)
        self.note_early(sequence, whole_end)
        return Arrival.OUT_OF_ORDER if new else Arrival.DUPLICATE

    def note_early(self, start: int, end: int) -> None:
        """Something came before its turn, data or a FIN: its block is the first to be told (RFC
        2018 section 4)."""
        others = []
        for block in self.blocks:
            if block[0] <= end and start <= block[1]:
                start, end = min(start, block[0]), max(end, block[1])
            else:
                others.append(block)
        self.blocks = [(start, end), *others][:MOST_BLOCKS]

    def _fill(self) -> None:
        """Early data whose turn has come."""
        count = 0
        for start, data in zip(self._starts, self._early, strict=True):
            if start > self.nxt:
                break
            count += 1
            self._early_memory -= memory_bytes(len(data))
            if start + len(data) > self.nxt:
                self._append(data[self.nxt - start :])
        if count:
            del self._starts[:count]
            del self._early[:count]
            self.filled = True
        self.blocks = [block for block in self.blocks if block[1] > self.nxt]
