"""What a vNIC sent and received, kept as bytes and shown as Scapy packets.

Dissecting costs a hundred times what keeping costs, so it happens when somebody looks. A
broadcast ends up in the history of every card that hears it, so times and frames are kept
side by side and not in pairs: the bytes and the moment are then shared by all those cards,
and each pays two pointers for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

HISTORY_FRAMES = 1000
"""How many frames each direction remembers: a long run must not fill the memory."""


class FrameLog(Sequence[Any]):
    """The last frames of one direction, oldest first, as a sequence of Scapy packets.

    Each is a fresh ``Ether`` with its virtual ``time``; ``bytes(log[i])`` is the frame as it
    was on the wire. ``total`` counts every frame ever seen. ``raw`` gives bytes.
    """

    __slots__ = ("_epoch_ns", "_frames", "_limit", "_readers", "_times_ns", "total")

    def __init__(self, epoch_ns: int, limit: int = HISTORY_FRAMES) -> None:
        self._epoch_ns = epoch_ns
        self._frames: deque[bytes] = deque()
        self._times_ns: deque[int] = deque()
        self._limit = limit
        self._readers = 0
        self.total = 0

    def append(self, time_ns: int, data: bytes) -> None:
        """Remember a frame; the oldest makes room."""
        frames = self._frames
        frames.append(data)
        self._times_ns.append(time_ns)
        self.total += 1
        if len(frames) > self._limit and not self._readers:
            frames.popleft()
            self._times_ns.popleft()

    @contextmanager
    def kept_whole(self) -> Iterator[None]:
        """Inside, nothing is forgotten: somebody is reading, who may have fallen behind."""
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            while len(self._frames) > self._limit and not self._readers:
                self._frames.popleft()
                self._times_ns.popleft()

    @property
    def raw(self) -> list[bytes]:
        """The frames as bytes, oldest first."""
        return list(self._frames)

    def since(self, number: int) -> tuple[int, int, bytes] | None:
        """The first remembered frame from the ``number``-th on: its number, time and bytes."""
        first = self.total - len(self._frames)
        at = max(number - first, 0)
        if at >= len(self._frames):
            return None
        return first + at, self._times_ns[at], self._frames[at]

    def _packet(self, time_ns: int, data: bytes) -> Any:
        from vnet.guest.dissect import dissect

        return dissect(data, self._epoch_ns + time_ns)

    def _entries(self) -> list[tuple[int, bytes]]:
        return list(zip(self._times_ns, self._frames, strict=True))

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Any]:
        return (self._packet(*entry) for entry in self._entries())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._packet(*entry) for entry in self._entries()[index]]
        return self._packet(self._times_ns[index], self._frames[index])

    def __repr__(self) -> str:
        return f"<{len(self._frames)} frames, {self.total} in all>"
