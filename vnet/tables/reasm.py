"""Putting fragments together again (RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722).

One buffer per (source, target, protocol, identification). Overlaps are treated as Linux
does since 4.19: a piece that lies within a run of pieces which came one after the other is a
duplicate and ignored; any other overlap throws the whole packet away, for IPv4 as for IPv6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeAlias, TypeVar

BearerT = TypeVar("BearerT")
"""Whatever brought a piece, for the table's owner to have back when the piece is lost."""

Key: TypeAlias = tuple[bytes, bytes, int, int]
"""(source, target, protocol, identification); IPv6 leaves the protocol 0."""


_MOST_BYTES = 0xFFFF

_PIECE_BYTES = 256 + 320
"""What a piece takes beyond its data: sizeof(sk_buff) and sizeof(skb_shared_info), aligned."""


class Verdict(Enum):
    """Why a piece was not kept."""

    DUPLICATE = auto()  # those bytes were there already
    OVERLAP = auto()  # the packet was thrown away
    MALFORMED = auto()  # ends differ, or the whole would exceed the largest packet
    FULL = auto()  # too much waits to be put together


@dataclass(frozen=True, slots=True)
class Refusal(Generic[BearerT]):
    """A piece was not kept. ``lost`` is who brought it, behind all that its packet lost with it."""

    verdict: Verdict
    lost: list[BearerT]


class Whole(NamedTuple, Generic[BearerT]):
    """A packet that is complete: its first piece's packet, all of the payload, who brought it."""

    first: bytes
    payload: bytes
    bearers: list[BearerT]


class Buffer(Generic[BearerT]):
    """The pieces of one packet, by offset.

    ``first`` is the leading piece's own packet, and ``head_bytes`` what its header adds to the
    whole; ``bearers`` brought the pieces, in the order of their coming; ``runs`` are the
    stretches [start, end) that were filled without a gap in time or place, sorted;
    ``held_bytes`` is the memory that the pieces take.
    """

    __slots__ = (
        "bearers",
        "deadline_ns",
        "filled_bytes",
        "first",
        "head_bytes",
        "held_bytes",
        "key",
        "pieces",
        "runs",
        "total_bytes",
    )

    def __init__(self, key: Key, deadline_ns: int) -> None:
        self.key = key
        self.bearers: list[BearerT] = []
        self.deadline_ns = deadline_ns
        self.pieces: dict[int, bytes] = {}
        self.runs: list[tuple[int, int]] = []
        self.total_bytes: int | None = None
        self.first: bytes | None = None
        self.head_bytes = 0
        self.filled_bytes = 0
        self.held_bytes = 0

    def missing(self) -> bool:
        return self.total_bytes is None or self.filled_bytes < self.total_bytes

    def place(self, start: int, end: int) -> Verdict | None:
        """Find room for a piece; None if there is."""
        runs = self.runs
        if runs and start == runs[-1][1]:
            runs[-1] = (runs[-1][0], end)
            return None
        for run_start, run_end in runs:
            if start < run_end and run_start < end:
                inside = run_start <= start and end <= run_end
                return Verdict.DUPLICATE if inside else Verdict.OVERLAP
        runs.append((start, end))
        runs.sort()
        return None


class Reassembly(Generic[BearerT]):
    """Every packet that is being put together.

    ``limit_bytes`` bounds memory as ipfrag_high_thresh does: while ``held_bytes`` is above
    it, no piece is taken, be its packet a new one or not.
    """

    __slots__ = ("_buffers", "held_bytes", "limit_bytes", "timeout_ns")

    def __init__(self, timeout_ns: int, limit_bytes: int = 4 << 20) -> None:
        self.timeout_ns = timeout_ns
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self._buffers: dict[Key, Buffer[BearerT]] = {}

    def add(
        self,
        key: Key,
        bearer: BearerT,
        offset: int,
        more: bool,
        piece: bytes,
        packet: bytes,
        now_ns: int,
        head_bytes: int = 0,
        bearer_bytes: int = 0,
    ) -> Whole[BearerT] | Refusal[BearerT] | None:
        """Add a piece. Returns the whole when it is complete.

        None means that the piece was kept and that others are missing.

        ``packet`` is the piece's whole packet, kept of the first one: its header goes
        before the payload, and an error message quotes it. ``head_bytes`` of that header
        count towards the largest packet. ``bearer_bytes`` is how long the frame was that
        brought it.
        """
        if self.held_bytes > self.limit_bytes:
            return Refusal(Verdict.FULL, [bearer])
        buffer = self._buffers.get(key)
        if buffer is None:
            buffer = self._buffers[key] = Buffer(key, now_ns + self.timeout_ns)
        end = offset + len(piece)
        verdict = self._fit(buffer, offset, end, more, piece)
        if verdict is Verdict.DUPLICATE:
            return Refusal(verdict, [bearer])
        buffer.bearers.append(bearer)
        if verdict is not None:
            self._remove(buffer)
            return Refusal(verdict, buffer.bearers)
        buffer.pieces[offset] = piece
        buffer.filled_bytes += len(piece)
        buffer.held_bytes += _PIECE_BYTES + bearer_bytes
        self.held_bytes += _PIECE_BYTES + bearer_bytes
        if offset == 0:
            buffer.first, buffer.head_bytes = packet, head_bytes
        if buffer.missing():
            return None
        self._remove(buffer)
        assert buffer.first is not None
        if buffer.head_bytes + (buffer.total_bytes or 0) > _MOST_BYTES:
            return Refusal(Verdict.MALFORMED, buffer.bearers)
        payload = b"".join(buffer.pieces[at] for at in sorted(buffer.pieces))
        return Whole(buffer.first, payload, buffer.bearers)

    @staticmethod
    def _fit(
        buffer: Buffer[BearerT], offset: int, end: int, more: bool, piece: bytes
    ) -> Verdict | None:
        if end > _MOST_BYTES or (more and len(piece) % 8) or not piece:
            return Verdict.MALFORMED
        if buffer.total_bytes is not None and end > buffer.total_bytes:
            return Verdict.MALFORMED
        if not more:
            if buffer.total_bytes not in (None, end):
                return Verdict.MALFORMED
            if any(at + len(other) > end for at, other in buffer.pieces.items()):
                return Verdict.MALFORMED
            buffer.total_bytes = end
        return buffer.place(offset, end)

    def expire(self, now_ns: int) -> list[Buffer[BearerT]]:
        """Remove and return the packets whose time is up."""
        gone = [b for b in self._buffers.values() if b.deadline_ns <= now_ns]
        for buffer in gone:
            self._remove(buffer)
        return gone

    def _remove(self, buffer: Buffer[BearerT]) -> None:
        del self._buffers[buffer.key]
        self.held_bytes -= buffer.held_bytes

    @property
    def next_deadline_ns(self) -> int | None:
        """When time is up for the next packet, or None."""
        return min((b.deadline_ns for b in self._buffers.values()), default=None)

    def __len__(self) -> int:
        return len(self._buffers)
