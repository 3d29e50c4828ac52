"""Options as GNU's getopt_long reads them, with its sentences.

Options and other words may be mixed; long names may be cut short where that leaves no doubt; an
optional argument is given as ``--name=value`` or ``-nvalue`` only; ``--`` ends the options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple


class Argument(Enum):
    """Whether an option has one."""

    NONE = "no"
    REQUIRED = "required"
    OPTIONAL = "optional"


class Option(NamedTuple):
    """``--name``, and ``-short`` where there is one."""

    name: str
    argument: Argument = Argument.NONE
    short: str = ""


class OptionError(Exception):
    """GNU's sentence about an option that cannot be taken."""


class Word(NamedTuple):
    """An option with its argument; or, without one, a word that is none, as ``value``."""

    option: Option | None
    value: str | None


def read_options(arguments: Sequence[str], options: Sequence[Option]) -> Iterator[Word]:
    """The arguments in order. Raises :class:`OptionError` at the first that is wrong."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            yield from (Word(None, word) for word in rest)
        elif argument.startswith("--"):
            yield _long(argument[2:], options, rest)
        elif argument.startswith("-") and argument != "-":
            yield from _short(argument[1:], options, rest)
        else:
            yield Word(None, argument)


def _long(text: str, options: Sequence[Option], rest: Iterator[str]) -> Word:
    name, equals, value = text.partition("=")
    option = _find(name, options)
    if equals:
        if option.argument is Argument.NONE:
            raise OptionError(f"option '--{option.name}' doesn't allow an argument")
        return Word(option, value)
    if option.argument is not Argument.REQUIRED:
        return Word(option, None)
    following = next(rest, None)
    if following is None:
        raise OptionError(f"option '--{option.name}' requires an argument")
    return Word(option, following)


def _find(name: str, options: Sequence[Option]) -> Option:
    candidates = [option for option in options if option.name.startswith(name)]
    exact = [option for option in candidates if option.name == name]
    if exact:
        return exact[0]
    if not candidates:
        raise OptionError(f"unrecognized option '--{name}'")
    if len(candidates) > 1:
        possibilities = " ".join(f"'--{option.name}'" for option in candidates)
        raise OptionError(f"option '--{name}' is ambiguous; possibilities: {possibilities}")
    return candidates[0]


def _short(letters: str, options: Sequence[Option], rest: Iterator[str]) -> Iterator[Word]:
    while letters:
        letter, letters = letters[0], letters[1:]
        option = next((option for option in options if option.short == letter), None)
        if option is None:
            raise OptionError(f"invalid option -- '{letter}'")
        if option.argument is Argument.NONE:
            yield Word(option, None)
            continue
        if not letters and option.argument is Argument.REQUIRED:
            following = next(rest, None)
            if following is None:
                raise OptionError(f"option requires an argument -- '{letter}'")
            letters = following
        yield Word(option, letters or None)
        return
