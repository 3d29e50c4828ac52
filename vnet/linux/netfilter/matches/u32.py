"""``-m u32``: words of 32 bits from anywhere in a packet, held against ranges (xt_u32.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.linux.netfilter.xtables.values import ALL_32, decimal

_MOST = 10
"""Tests, steps of one, and ranges of one."""
_MOST_SHIFT = 31
_WORD_BYTES = 4
_NUMBER = re.compile(r"\s*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


class WordTest(NamedTuple):
    """The word that begins ``at`` a byte goes through ``steps`` (``&``, ``<<``, ``>>``; ``@`` takes
    it as a distance, and reads another word behind it), and is then in one of ``ranges``."""

    at: int
    steps: tuple[tuple[str, int], ...]
    ranges: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """As it is saved: ``0x6&0xff=0x11``."""
        steps = "".join(f"{operator}{number:#x}" for operator, number in self.steps)
        ranges = (
            f"{first:#x}" if first == last else f"{first:#x}:{last:#x}"
            for first, last in self.ranges
        )
        return f"{self.at:#x}{steps}={','.join(ranges)}"

    def holds(self, data: bytes) -> bool:
        """Whether a packet passes. One that is too short does not."""
        base, value = 0, _word(data, self.at)
        for operator, number in self.steps:
            if value is None:
                return False
            if operator == "&":
                value &= number
            elif operator == "<<":
                value = value << number & ALL_32
            elif operator == ">>":
                value >>= number
            else:
                base += value
                value = _word(data, base + number)
        return value is not None and any(first <= value <= last for first, last in self.ranges)


def _word(data: bytes, at: int) -> int | None:
    return int.from_bytes(data[at : at + 4], "big") if at + _WORD_BYTES <= len(data) else None


class _Reader:
    """Reads ``6&0xFF=1:5,17 && 4=0``, and tells at which character it fails."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> tuple[WordTest, ...]:
        """All tests. Raises :class:`XtablesError`."""
        tests = []
        while True:
            tests.append(self._test())
            is_last = not self._next()
            if len(tests) > _MOST:
                self._at += not is_last
                raise self._error('too many "&&"s')
            if is_last:
                return tuple(tests)
            self._take("&&")

    def _test(self) -> WordTest:
        if not self._next():
            raise _abrupt()
        at, steps = self._number(), []
        while (letter := self._next()) != "=":
            if not letter:
                raise _abrupt()
            if letter not in "&<>@":
                raise self._error("operator expected")
            operator = letter if letter in "&@" else letter * 2
            self._take(operator)
            steps.append((operator, self._number()))
            if len(steps) >= _MOST:
                raise self._error("too many operators")
        self._take("=")
        return WordTest(at, tuple(steps), self._ranges())

    def _ranges(self) -> tuple[tuple[int, int], ...]:
        letter = self._next()
        if not letter:
            raise XtablesError("u32: test ended with no value specified")
        if letter == "&":
            self._at += 1
            raise self._error("value spec missing")
        ranges = []
        while True:
            first = last = self._number()
            if self._next() == ":":
                self._take(":")
                last = self._number()
            ranges.append((first, last))
            if len(ranges) > _MOST:
                raise self._error('too many ","s')
            letter = self._next()
            if letter not in ("", ",", "&"):
                raise self._error('expected "," or "&&"')
            if letter != ",":
                return tuple(ranges)
            self._take(",")

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _take(self, letters: str) -> None:
        """Go on behind ``letters``, of which the first is there."""
        self._at += 1
        if len(letters) == 1:
            return
        if self._text[self._at : self._at + 1] != letters[1]:
            raise self._error(f"a second '{letters[1]}' was expected")
        self._at += 1

    def _number(self) -> int:
        found = _NUMBER.match(self._text, self._at)
        digits = found[1] if found else ""
        if digits[:1] == "0":
            value = int(digits, 16 if digits[:2].lower() == "0x" else 8)
        else:
            value = decimal(digits) if digits else ALL_32 + 1
        if found is None or value > ALL_32:
            raise self._error("not a number or out of range")
        self._at = found.end()
        return value

    def _error(self, what: str) -> XtablesError:
        return XtablesError(f"u32: at char {self._at}: {what}")


def _abrupt() -> XtablesError:
    return XtablesError("u32: abrupt end of input after location specifier")


def _tests(word: Word) -> tuple[WordTest, ...]:
    return _Reader(word.text).read()


@dataclass(frozen=True, slots=True)
class U32Match(Match):
    """All of ``tests`` hold, or with ``negated`` not all."""

    NAME: ClassVar[str] = "u32"
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("u32", _tests, negatable=True, required=True),)

    tests: tuple[WordTest, ...]
    negated: bool

    @classmethod
    def read(cls, given: Given) -> U32Match:
        return cls(given.get("u32"), "u32" in given.negated)

    def may_stand(self, table: str, hooks: frozenset[Hook]) -> bool:  # noqa: ARG002
        shifts = (step for test in self.tests for step in test.steps if step[0] in ("<<", ">>"))
        return all(number <= _MOST_SHIFT for _, number in shifts)

    @property
    def _text(self) -> str:
        return f'"{"&&".join(test.text for test in self.tests)}"'

    def saved(self) -> str:
        return f"{negation(self.negated)}--u32 {self._text}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"u32 {negation(self.negated)}{self._text}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        tests, negated = self.tests, self.negated
        return lambda packet: _all_hold(tests, packet) is not negated


def _all_hold(tests: tuple[WordTest, ...], packet: NfPacket) -> bool:
    return all(test.holds(packet.data) for test in tests)
