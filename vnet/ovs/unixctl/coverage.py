"""How often things have happened, and how often of late: ``coverage/show``.

Who counts calls :meth:`Coverage.count`; what is counted elsewhere already is followed instead.
Counts of the last hour are kept by spans of five seconds. What nobody has looked at for longer than
a span is spread over the spans in between.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence

from vnet.ovs.unixctl.table import Command, CommandError, answering

SPAN_MS = 5_000
_SPANS_A_MINUTE = 12
_SPANS_AN_HOUR = 720


class Coverage:
    """The counters of a daemon. ``now_ms`` is its clock."""

    def __init__(self, events: Iterable[str], now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._totals = dict.fromkeys(events, 0)
        self._followed: dict[str, Callable[[], int]] = {}
        self._spans: dict[str, list[int]] = {}
        """Of those that ever happened, the newest first."""
        self._spread = dict(self._totals)
        """How much of each total is in spans already."""
        self._span_ends_ms = now_ms() + SPAN_MS

    def count(self, event: str, times: int = 1) -> None:
        """It has happened. An event that is none is a KeyError."""
        if self._now_ms() >= self._span_ends_ms:
            self._end_spans()
        self._totals[event] += times

    def follow(self, event: str, read: Callable[[], int]) -> None:
        """``read`` knows how often it has happened."""
        self._followed[event] = read
        self._totals[event] = read()

    def commands(self) -> list[Command]:
        """What ovs-appctl may ask of it."""
        return [
            Command("coverage/show", "", 0, 0, answering(lambda _words: self.show())),
            Command("coverage/read-counter", "COUNTER", 1, 1, answering(self._read_counter)),
        ]

    def show(self) -> str:
        """A table of those that ever happened, and how many others there are."""
        self._read_followed()
        if self._now_ms() >= self._span_ends_ms:
            self._end_spans()
        happened = {event: total for event, total in self._totals.items() if total}
        lines = [
            f"Event coverage, avg rate over last: {SPAN_MS // 1000} seconds, last minute, "
            f"last hour,  hash={_hash(happened):08x}:"
        ]
        for event, total in happened.items():
            spans = self._spans.get(event, [0])
            lines.append(
                f"{event:<24} {spans[0] * 1000 / SPAN_MS:5.1f}/sec "
                f"{sum(spans[:_SPANS_A_MINUTE]) / 60:9.3f}/sec "
                f"{sum(spans) / 3600:13.4f}/sec   total: {total}"
            )
        return "\n".join([*lines, f"{len(self._totals) - len(happened)} events never hit"])

    def _read_counter(self, words: Sequence[str]) -> str:
        self._read_followed()
        total = self._totals.get(words[0])
        if total is None:
            raise CommandError("No such counter")
        return str(total)

    def _read_followed(self) -> None:
        for event, read in self._followed.items():
            self._totals[event] = read()

    def _end_spans(self) -> None:
        """Put what has been counted into the spans that have ended."""
        n_spans = (self._now_ms() - self._span_ends_ms) // SPAN_MS + 1
        self._span_ends_ms += n_spans * SPAN_MS
        for event, total in self._totals.items():
            new = total - self._spread[event]
            if not new and event not in self._spans:
                continue
            self._spread[event] = total
            each, rest = divmod(new, n_spans)
            ended = [each + rest, *[each] * min(n_spans - 1, _SPANS_AN_HOUR - 1)]
            self._spans[event] = (ended + self._spans.get(event, []))[:_SPANS_AN_HOUR]


def _hash(happened: dict[str, int]) -> int:
    """A number that says which events happen more often than which: two runs with the same one
    have done much the same."""
    ranked = sorted(happened.items(), key=lambda one: (-one[1], one[0]))
    return zlib.crc32(" ".join(event for event, _ in ranked).encode())
