"""Options of a command: ``-c 3`` and ``-U``, declared as a table and taken out of the words.

The tools that these commands are named after write options before and after their
arguments, and join or part an option and its value (``-c3``, ``-c 3``); so does this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.base.units import NS_PER_S, parse_duration_ns

_LONGEST_NS = 24 * 3600 * NS_PER_S

Convert = Callable[[str], Any]
"""Text to a value; raises ``ValueError`` saying what would have been right."""


@dataclass(frozen=True)
class Option:
    """One option. ``key`` is its name in :attr:`Arguments.options`; without ``convert`` it is
    a flag, which then has ``value``."""

    key: str
    convert: Convert | None = None
    value: Any = True


@dataclass(frozen=True)
class Arguments:
    """What followed the command's name: ``words`` in order, and the options that were given.

    A command that reads the rest of the line itself finds it, unaltered, in ``text``. ``node`` is
    the one that was named in front of a command that can do without.
    """

    words: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    node: str | None = None

    def word(self, index: int) -> str | None:
        """The word at ``index``, or None where fewer were given."""
        return self.words[index] if index < len(self.words) else None


def take_options(
    command: str, words: Sequence[str], known: Mapping[str, Option]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Part ``words`` into arguments and options. Raises :class:`UsageError`."""
    rest: list[str] = []
    given: dict[str, Any] = {}
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        flag, attached = _split(word, known)
        option = known.get(flag)
        if option is None and _is_cluster(word, known):
            waiting += [f"-{letter}" for letter in reversed(word[1:])]
        elif option is None:
            if word.startswith("-") and len(word) > 1:
                hint = did_you_mean(word, list(known), "it takes") if known else "it takes none"
                raise UsageError(f"{command}: unknown option {quote(word)}", hint)
            rest.append(word)
        elif option.convert is None:
            given[option.key] = option.value
        elif not attached and not waiting:
            raise UsageError(f"{command}: {flag} wants a value")
        else:
            value = attached or waiting.pop()
            try:
                given[option.key] = option.convert(value)
            except ValueError as error:
                raise UsageError(f"{command}: {flag}: {error}") from None
    return tuple(rest), given


def _is_cluster(word: str, known: Mapping[str, Option]) -> bool:
    """``-tan`` is ``-t -a -n`` where all three are flags."""
    options = [known.get(f"-{letter}") for letter in word[1:]]
    return (
        len(word) > 2
        and word.startswith("-")
        and all(option is not None and option.convert is None for option in options)
    )


def _split(word: str, known: Mapping[str, Option]) -> tuple[str, str]:
    """``-c3`` is ``-c`` with ``3`` where ``-c`` takes a value."""
    option = known.get(word[:2])
    if word not in known and option is not None and option.convert is not None:
        return word[:2], word[2:]
    return word, ""


def whole_number(least: int, most: int) -> Convert:
    """A whole number from ``least`` to ``most``."""

    def convert(text: str) -> int:
        # isdecimal() alone would let other scripts' digits through.
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
        if not least <= number <= most:
            raise ValueError(f"{quote(text)} is not a whole number from {least} to {most}")
        return number

    return convert


def duration_ns(text: str) -> int:
    """``200ms``; a bare number is seconds, as the options of ping(8) have it."""
    found_ns = parse_duration_ns(text if text[-1:].isalpha() else f"{text}s")
    if found_ns > _LONGEST_NS:
        raise ValueError("a day is the longest")
    return found_ns


def duration(text: str) -> str:
    """As :func:`duration_ns`, for calls that take durations as text."""
    return f"{duration_ns(text)}ns"


def choice(**values: Any) -> Convert:
    """One of a few words, each with what it stands for."""

    def convert(text: str) -> Any:
        if text not in values:
            raise ValueError(f"{quote(text)} is none of {one_of(values)}")
        return values[text]

    return convert
