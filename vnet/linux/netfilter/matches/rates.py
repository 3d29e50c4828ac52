"""``-m limit`` and ``-m statistic``: some packets, but not all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from vnet.base.units import NS_PER_S
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test
from vnet.linux.netfilter.xtables.option import Given, Option, Word, text, whole
from vnet.linux.netfilter.xtables.values import decimal

SCALE = 10_000
"""A period is kept in ten-thousandths of a second."""

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_SHOWN = {"minute": "min", "second": "sec"}
_DEFAULT_PERIOD = SCALE * 3600 // 3
_DEFAULT_BURST = 5


def read_rate(text: str) -> int:
    """``5/minute`` to a period in ten-thousandths of a second."""
    count, slash, unit = text.partition("/")
    seconds = 1
    if slash:
        known = [s for name, s in reversed(_UNITS) if unit and name.startswith(unit.lower())]
        if not known:
            raise XtablesError(f'bad rate "{text}"\'')
        seconds = known[0]
    digits = count.strip()
    length = next((at for at, c in enumerate(digits) if not c.isascii() or not c.isdigit()), None)
    number = decimal(digits[:length])
    if not number:
        raise XtablesError(f'bad rate "{text}"\'')
    period = SCALE * seconds // number
    if not period:
        raise XtablesError(f'Rate too fast "{text}"')
    return period


def rate_of(period: int) -> tuple[int, str]:
    """How many in which unit: the smallest in which it comes out well enough."""
    found = _UNITS[0]
    for unit in _UNITS[1:]:
        size = SCALE * unit[1]
        if period > size or size // period < size % period:
            break
        found = unit
    return SCALE * found[1] // period, found[0]


def _rate(word: Word) -> int:
    return read_rate(word.text)


@dataclass(frozen=True, slots=True)
class LimitMatch(Match):
    """One packet in a period, and a burst of them."""

    NAME: ClassVar[str] = "limit"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("limit", _rate),
        Option("limit-burst", whole(10_000)),
    )

    period: int
    burst: int

    @classmethod
    def read(cls, given: Given) -> LimitMatch:
        burst = given.get("limit-burst", 0) or _DEFAULT_BURST
        return cls(given.get("limit", _DEFAULT_PERIOD), burst)

    @property
    def _rate_text(self) -> str:
        count, unit = rate_of(self.period)
        return f"{count}/{_SHOWN.get(unit, unit)}"

    def saved(self) -> str:
        burst = "" if self.burst == _DEFAULT_BURST else f" --limit-burst {self.burst}"
        return f"--limit {self._rate_text}{burst}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"limit: avg {self._rate_text} burst {self.burst}"

    def nft(self) -> str | None:
        count, unit = rate_of(self.period)
        burst = f" burst {self.burst} packets"
        return f"limit rate {count}/{unit}" + ("" if self.burst == _DEFAULT_BURST else burst)

    def test(self, netfilter: Netfilter) -> Test:
        scheduler = netfilter.namespace.scheduler
        count, unit = rate_of(self.period)
        cost_ns = dict(_UNITS)[unit] * NS_PER_S // count
        most_ns = cost_ns * self.burst
        saved_ns, last_ns = most_ns, scheduler.now_ns

        def meant(_: NfPacket) -> bool:
            nonlocal saved_ns, last_ns
            now_ns = scheduler.now_ns
            saved_ns, last_ns = min(saved_ns + now_ns - last_ns, most_ns), now_ns
            if saved_ns < cost_ns:
                return False
            saved_ns -= cost_ns
            return True

        return meant


_ONE = 0x80000000
"""A probability of 1 is this."""


def _mode(word: Word) -> str:
    if word.text not in ("random", "nth"):
        raise XtablesError(f'Bad mode "{word.text}"')
    return text(word)


def _probability(word: Word) -> int:
    try:
        value = float(word.text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise XtablesError(
            'statistic: bad value for option "--probability", or out of range (0-1).\n'
        )
    return int(value * _ONE + 0.5)


@dataclass(frozen=True, slots=True)
class StatisticMatch(Match):
    """``probability`` of 2**31 where it is drawn by lot, else the ``packet``-th of ``every``."""

    NAME: ClassVar[str] = "statistic"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("mode", _mode, required=True),
        Option("probability", _probability, negatable=True, excludes=("every", "packet")),
        Option(
            *("every", whole(0xFFFFFFFF, 1)),
            negatable=True,
            excludes=("probability",),
            needs=("packet",),
        ),
        Option("packet", whole(0xFFFFFFFF), excludes=("probability",), needs=("every",)),
    )

    probability: int | None
    every: int
    packet: int
    negated: bool

    @classmethod
    def read(cls, given: Given) -> StatisticMatch:
        is_random = given.get("mode", "random") == "random"
        if is_random and "probability" not in given.values:
            raise XtablesError("--probability must be specified when using random mode")
        if not is_random and not {"every", "packet"} & given.values.keys():
            raise XtablesError("--every and --packet must be specified when using nth mode")
        every, packet = given.get("every", 1), given.get("packet", 0)
        if packet >= every:
            raise XtablesError("the --packet p must be 0 <= p <= n-1")
        probability = given.get("probability") if is_random else None
        return cls(probability, every, packet, bool(given.negated))

    def _written(self, dashes: str) -> str:
        mark = "! " if self.negated else ""
        if self.probability is not None:
            share = self.probability / _ONE
            return f"{dashes}mode random {mark}{dashes}probability {share:.11f}"
        written = f"{dashes}mode nth {mark}{dashes}every {self.every}"
        if self.packet or dashes:
            written += f" {dashes}packet {self.packet}"
        return written

    def saved(self) -> str:
        return self._written("--")

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"statistic {self._written('')}"

    def nft(self) -> str | None:
        if self.probability is not None:
            compared = ">=" if self.negated else "<"
            return f"meta random & {_ONE - 1} {compared} {self.probability}"
        return f"numgen inc mod {self.every} {'!= ' if self.negated else ''}{self.packet}"

    def test(self, netfilter: Netfilter) -> Test:
        if self.probability is not None:
            return self._by_lot(netfilter)
        every, negated = self.every, self.negated
        waiting = every - 1 - self.packet

        def meant(_: NfPacket) -> bool:
            nonlocal waiting
            turn = waiting == every - 1
            waiting = 0 if turn else waiting + 1
            return turn is not negated

        return meant

    def _by_lot(self, netfilter: Netfilter) -> Test:
        draw = netfilter.namespace.chance.stream(f"{netfilter.namespace.name}/statistic")
        probability, negated = self.probability or 0, self.negated
        return lambda _: (draw.getrandbits(31) < probability) is not negated
