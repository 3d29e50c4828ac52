"""The bytes that a program has written and the peer has not acknowledged."""

from __future__ import annotations


class SendBuffer:
    """``start`` is the sequence number of the first byte kept, ``end`` that behind the last."""

    __slots__ = ("_data", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    def append(self, data: bytes) -> None:
        self._data += data
        self.end += len(data)

    def slice(self, sequence: int, end: int) -> bytes:
        """The bytes from ``sequence`` up to ``end``, or to the last one there is."""
        return bytes(self._data[sequence - self.start : end - self.start])

    def acknowledge(self, sequence: int) -> int:
        """Let go what lies before ``sequence``; returns how many bytes that were."""
        count = min(sequence, self.end) - self.start
        if count <= 0:
            return 0
        del self._data[:count]
        self.start += count
        return count
