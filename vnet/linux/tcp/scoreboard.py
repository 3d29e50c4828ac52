"""What was sent and is not acknowledged: which of it arrived, is lost, was sent again."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

from vnet.wire.tcp import FIN, PSH

_BY_SEQUENCE = attrgetter("sequence")


class Sent:
    """One segment in flight: [``sequence``, ``end``), its SYN or FIN counted.

    ``lost`` and ``sacked`` are the scoreboard's marks; ``resent`` while a retransmission is on
    its way, ``ever_resent`` from the first one on.
    """

    __slots__ = (
        "chunk",
        "end",
        "ever_resent",
        "flags",
        "lost",
        "order",
        "resent",
        "sacked",
        "sent_ns",
        "sequence",
    )

    def __init__(self, sequence: int, end: int, flags: int, sent_ns: int) -> None:
        self.sequence = sequence
        self.end = end
        self.flags = flags
        self.sent_ns = sent_ns
        self.chunk = sequence
        """Where the chunk began that it left in: those of one are cut anew together."""
        self.order = 0
        """Its number among all that was sent: many leave in the same instant."""
        self.sacked = False
        self.lost = False
        self.resent = False
        self.ever_resent = False


class Scoreboard:
    """Segments in the order of their sequence, and in the order in which they were sent."""

    __slots__ = (
        "_sent",
        "_to_resend",
        "by_time",
        "highest_sacked",
        "lost_out",
        "resent_out",
        "sacked_out",
        "segments",
    )

    def __init__(self) -> None:
        self.segments: deque[Sent] = deque()
        self.by_time: OrderedDict[Sent, None] = OrderedDict()
        """Those that are neither sacked nor marked lost, the longest on their way first."""
        self.sacked_out = 0
        """Segments that arrived out of order; without SACK, as many as duplicate ACKs tell of."""
        self.lost_out = 0
        self.resent_out = 0
        self.highest_sacked = 0
        self._sent = 0
        self._to_resend: list[Sent] = []

    @property
    def in_flight(self) -> int:
        """Segments that are believed to be on their way."""
        return len(self.segments) - self.sacked_out - self.lost_out + self.resent_out

    def add(self, segment: Sent) -> None:
        """A new segment was sent."""
        self._sent += 1
        segment.order = self._sent
        self.segments.append(segment)
        self.by_time[segment] = None

    def resend(self, segment: Sent, now_ns: int) -> None:
        """A segment was sent again."""
        if not segment.resent:
            self.resent_out += 1
        segment.resent = segment.ever_resent = True
        segment.sent_ns = now_ns
        self._sent += 1
        segment.order = self._sent
        self.by_time[segment] = None
        self.by_time.move_to_end(segment)

    def acknowledge(self, sequence: int) -> Iterator[Sent]:
        """Take out, in order, the segments that end at or before ``sequence``."""
        segments = self.segments
        while segments and segments[0].end <= sequence:
            segment = segments.popleft()
            self.by_time.pop(segment, None)
            self.sacked_out -= segment.sacked
            self.lost_out -= segment.lost
            self.resent_out -= segment.resent
            yield segment
            segment.lost = False

    def trim(self, sequence: int) -> None:
        """The first segment was acknowledged in part."""
        if self.segments and self.segments[0].sequence < sequence:
            self.segments[0].sequence = sequence

    def sack(self, start: int, end: int) -> Iterator[Sent]:
        """Mark what lies whole in [start, end), and yield what was not marked before."""
        segments = self.segments
        first = bisect_left(segments, start, key=_BY_SEQUENCE)
        for segment in islice(segments, first, None):
            if segment.end > end:
                break
            if segment.sacked:
                continue
            self.by_time.pop(segment, None)
            self.sacked_out += 1
            self.lost_out -= segment.lost
            self.resent_out -= segment.resent
            yield segment
            segment.sacked = True
            segment.lost = segment.resent = False
            self.highest_sacked = max(self.highest_sacked, segment.end)

    def mark_lost(self, segment: Sent) -> None:
        """Have a segment sent again; one whose retransmission is lost, once more."""
        if segment.lost and not segment.resent:
            return
        self.by_time.pop(segment, None)
        if segment.resent:
            self.resent_out -= 1
            segment.resent = False
        if not segment.lost:
            self.lost_out += 1
            segment.lost = True
        insort(self._to_resend, segment, key=_BY_SEQUENCE)

    def next_to_resend(self) -> Sent | None:
        """The first segment that is lost and not sent again yet."""
        waiting = self._to_resend
        while waiting:
            segment = waiting[0]
            if segment.lost and not segment.resent:
                return segment
            del waiting[0]
        return None

    def forget_sacks(self) -> None:
        """The receiver went back on what it had reported (RFC 2018 section 8)."""
        for segment in self.segments:
            if segment.sacked:
                segment.sacked = False
                self.by_time[segment] = None
        self.sacked_out = 0

    def unmark_losses(self) -> None:
        """Nothing was lost after all."""
        for segment in self.segments:
            if segment.lost:
                segment.lost = False
                if segment not in self.by_time:
                    self.by_time[segment] = None
        self.lost_out = 0
        self._to_resend.clear()

    def split(self, most_bytes: int) -> None:
        """Cut what carries more than the path takes into pieces, chunk by chunk."""
        pieces: deque[Sent] = deque()
        for segment in self._joined():
            pieces.extend(self._cut(segment, most_bytes))
        self.segments = pieces
        self._to_resend = [p for p in pieces if p.lost and not p.resent]

    def _joined(self) -> list[Sent]:
        """The segments, those of a chunk that are lost as one."""
        joined: list[Sent] = []
        for segment in self.segments:
            before = joined[-1] if joined else segment
            both_lost = before.lost and segment.lost and not (before.resent or segment.resent)
            if before is not segment and both_lost and before.chunk == segment.chunk:
                before.end, before.flags = segment.end, segment.flags
                self.lost_out -= 1
            else:
                joined.append(segment)
        return joined

    def _cut(self, segment: Sent, most_bytes: int) -> Iterable[Sent]:
        yield segment
        at = segment
        while at.end - at.sequence > most_bytes:
            rest = Sent(at.sequence + most_bytes, at.end, at.flags, at.sent_ns)
            rest.order, rest.chunk = at.order, at.chunk
            rest.sacked, rest.lost = at.sacked, at.lost
            rest.resent, rest.ever_resent = at.resent, at.ever_resent
            at.end = rest.sequence
            at.flags &= ~(FIN | PSH)
            self.sacked_out += rest.sacked
            self.lost_out += rest.lost
            self.resent_out += rest.resent
            if at in self.by_time:
                self.by_time[rest] = None
            yield rest
            at = rest
