"""The words of a command, taken apart into options as getopt_long(3) does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from vnet.linux.netfilter.xtables.errors import XtablesError
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

    extension: object
    option: Option
    value: str


class Plain(NamedTuple):
    """A word that is no option."""

    text: str


class UnknownOptionError(XtablesError):
    """An option that nobody knows (yet), or that lacks its word."""


class Find(Protocol):
    """Tells which extensions have options of a name, or of names that begin with it."""

    def __call__(self, name: str, *, whole: bool) -> list[tuple[object, Option]]: ...


class Getopt:
    """Where the reading of the words has got to. ``at`` is the word that comes next."""

    def __init__(self, words: Sequence[str], find: Find) -> None:
        self.words = list(words)
        self._find = find
        self.at = 0
        self._cluster = ""

    def next(self) -> Core | Extra | Plain | None:
        """The next option, or word that is none."""
        if self._cluster:
            return self._short()
        if self.at >= len(self.words):
            return None
        word = self.words[self.at]
        if word.startswith("--") and len(word) > 2:
            return self._long(word)
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

    def _long(self, word: str) -> Core | Extra:
        """A long option. A name may be cut short where it is short for one option alone."""
        name, equals, written = word[2:].partition("=")
        attached = written if equals else None
        self.at += 1
        known: list[str | tuple[object, Option]] = []
        if name in _LONG:
            known.append(_LONG[name])
        else:
            known += self._find(name, whole=True)[:1]
        if not known:
            known += {letter for long, letter in _LONG.items() if long.startswith(name)}
            known += self._find(name, whole=False)
        if len(known) != 1:
            raise UnknownOptionError(f'unknown option "{word}"')
        found = known[0]
        if isinstance(found, str):
            return self._core(found, word, attached)
        return Extra(*found, self._value(found[1], word, attached))

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
