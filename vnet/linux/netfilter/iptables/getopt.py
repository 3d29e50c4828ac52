"""The words of a command, taken apart into options as getopt_long(3) does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Extension
from vnet.linux.netfilter.xtables.option import Option

_REQUIRED = "ACDEIMNPRcdgijmopst"
_MAY_HAVE = "FLSVWXZhw"
_NONE = "fnvx046"
"""Letters by what follows them: a word, a word of their own at most, nothing."""

_LONG = {
    "append": "A",
    "check": "C",
    "delete": "D",
    "delete-chain": "X",
    "destination": "d",
    "dst": "d",
    "exact": "x",
    "flush": "F",
    "fragments": "f",
    "goto": "g",
    "help": "h",
    "in-interface": "i",
    "insert": "I",
    "ipv4": "4",
    "ipv6": "6",
    "jump": "j",
    "line-numbers": "0",
    "list": "L",
    "list-rules": "S",
    "match": "m",
    "modprobe": "M",
    "new-chain": "N",
    "numeric": "n",
    "out-interface": "o",
    "policy": "P",
    "protocol": "p",
    "rename-chain": "E",
    "replace": "R",
    "set-counters": "c",
    "source": "s",
    "src": "s",
    "table": "t",
    "verbose": "v",
    "version": "V",
    "wait": "w",
    "wait-interval": "W",
    "zero": "Z",
}
LONG_OPTIONS = tuple(sorted(_LONG))


class Core(NamedTuple):
    """An option of the command itself; ``value`` None where none was given."""

    letter: str
    value: str | None


class Extra(NamedTuple):
    """An option of an extension that has been loaded."""

    extension: Extension | object
    option: Option
    value: str


class Plain(NamedTuple):
    """A word that is no option."""

    text: str


class UnknownOptionError(XtablesError):
    """An option that nobody knows (yet), or that lacks its word."""


class Getopt:
    """Where the reading of the words has got to. ``at`` is the word that comes next."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.at = 0
        self._cluster = ""

    def next(
        self, find: Callable[[str], tuple[object, Option] | None]
    ) -> Core | Extra | Plain | None:
        """The next option; ``find`` tells who has one of a name, which may be cut short."""
        if self._cluster:
            return self._short()
        if self.at >= len(self.words):
            return None
        word = self.words[self.at]
        if word.startswith("--") and len(word) > 2:
            return self._long(word, find)
        self.at += 1
        if len(word) > 1 and word[0] == "-":
            self._cluster = word[1:]
            return self._short()
        return Plain(word)

    def _short(self) -> Core:
        letter, rest = self._cluster[0], self._cluster[1:]
        if letter == "0" or letter not in _REQUIRED + _MAY_HAVE + _NONE:
            self._cluster = ""
            raise UnknownOptionError(f'unknown option "-{letter}"')
        if letter in _NONE:
            self._cluster = rest
            return Core(letter, None)
        self._cluster = ""
        if rest or letter in _MAY_HAVE:
            return Core(letter, rest or None)
        word = self.words[self.at - 1]
        if self.at >= len(self.words):
            raise UnknownOptionError(f'option "{word}" requires an argument')
        self.at += 1
        return Core(letter, self.words[self.at - 1])

    def _long(self, word: str, find: Callable[[str], tuple[object, Option] | None]) -> Core | Extra:
        name, equals, attached = word[2:].partition("=")
        known = _LONG.get(name)
        extra = None if known else find(name)
        if known is None and extra is None:
            meant = {letter for long, letter in _LONG.items() if long.startswith(name)}
            known = meant.pop() if len(meant) == 1 else None
        self.at += 1
        if known is None and extra is None:
            raise UnknownOptionError(f'unknown option "{word}"')
        if known is not None:
            return self._core(known, word, attached if equals else None)
        assert extra is not None
        extension, option = extra
        return Extra(extension, option, self._value(option, word, attached if equals else None))

    def _core(self, letter: str, word: str, attached: str | None) -> Core:
        if letter in _REQUIRED and attached is None:
            return Core(letter, self._word_after(word))
        return Core(letter, attached)

    def _value(self, option: Option, word: str, attached: str | None) -> str:
        if option.read is None:
            return ""
        value = self._word_after(word) if attached is None else attached
        if option.n_words > 1:
            second = self.take_optional()
            if second is None:
                raise XtablesError(f"--{option.name} requires two args.")
            value = f"{value} {second}"
        return value

    def _word_after(self, word: str) -> str:
        if self.at >= len(self.words):
            raise UnknownOptionError(f'option "{word}" requires an argument')
        self.at += 1
        return self.words[self.at - 1]

    def take_optional(self) -> str | None:
        """The next word, if it is there and looks like no option."""
        if self.at >= len(self.words) or self.words[self.at][:1] in ("-", "!"):
            return None
        self.at += 1
        return self.words[self.at - 1]
