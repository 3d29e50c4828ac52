"""An option of a match or target: what it is called, what it takes, what it goes with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from vnet.linux.netfilter.xtables import values
from vnet.linux.netfilter.xtables.errors import XtablesError


class Word(NamedTuple):
    """What was given to an option: ``text`` of ``option`` of an extension, in a rule for
    ``protocol`` (0: any; with ``protocol_negated``, any other) of ``family`` (4 or 6)."""

    text: str
    option: str
    extension: str
    family: int
    protocol: int = 0
    protocol_negated: bool = False
    notices: list[str] = []  # noqa: RUF012
    """What is said although nothing is wrong goes here."""


Reader = Callable[[Word], Any]
"""A word to a value; raises :class:`XtablesError`."""


@dataclass(frozen=True, slots=True)
class Option:
    """``--NAME``. ``read`` None takes no word, and the value is True. ``excludes`` and ``needs``
    are other options of the extension."""

    name: str
    read: Reader | None = None
    also: tuple[str, ...] = ()
    negatable: bool = False
    required: bool = False
    excludes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    n_words: int = 1
    once: str = '{extension}: option "--{name}" can only be used once.\n'
    never_negated: str = '{extension}: option "--{name}" cannot be inverted.\n'
    """What is said where it stands twice, or behind a ``!``."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


class Given(NamedTuple):
    """What an extension was given: values by the names of options, and which were negated."""

    values: dict[str, Any]
    negated: frozenset[str]
    family: int
    protocol: int

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)


def text(word: Word) -> str:
    """The word itself."""
    return word.text


def whole(most: int, least: int = 0) -> Reader:
    """A number between two others."""

    def read(word: Word) -> int:
        found = values.number(word.text, most, least)
        if found is None:
            raise XtablesError(
                f'{word.extension}: bad value for option "--{word.option}", '
                f"or out of range ({least}-{most}).\n"
            )
        return found

    return read


def pair(most: int, n_parts: int = 2) -> Reader:
    """``A`` or ``A:B``; what is left out is 0 in front and ``most`` behind."""

    def read(word: Word) -> tuple[int, ...]:
        parts = word.text.split(":")
        if len(parts) > n_parts:
            raise XtablesError(
                f'{word.extension}: Too many components for option "--{word.option}" '
                f"(max: {n_parts})\n"
            )
        found = [_part(word, parts, place, most) for place in range(len(parts))]
        return tuple(found)

    return read


def _part(word: Word, parts: list[str], place: int, most: int) -> int:
    if not parts[place]:
        return 0 if place == 0 else most
    near = ":".join(parts[place:])
    taken = values.take_number(parts[place], most)
    if taken is None:
        raise XtablesError(
            f'{word.extension}: bad value for option "--{word.option}" near "{near}", '
            f"or out of range (0-{most}).\n"
        )
    if taken[1]:
        rest = ":".join((taken[1], *parts[place + 1 :]))
        raise XtablesError(
            f'{word.extension}: Argument to "--{word.option}" has '
            f'unexpected characters near "{rest}".\n'
        )
    return taken[0]


def mark(word: Word) -> values.Masked:
    """``0x1`` or ``0x1/0xff``."""
    taken = values.take_number(word.text, values.ALL_32)
    value, rest = taken or (0, "")
    bits: int | None = values.ALL_32
    if taken and rest.startswith("/"):
        bits, rest = values.number(rest[1:], values.ALL_32), ""
    if taken is None or rest or bits is None:
        raise XtablesError(
            f'{word.extension}: bad integer value for option "--{word.option}", or out of range.\n'
        )
    return values.Masked(value, bits)


def host_mask(word: Word) -> values.Net:
    """One address, with a mask or without."""
    name, slash, bits_word = word.text.partition("/")
    full = b"\xff" * (4 if word.family == 4 else 16)
    address = values.numeric_address(name, word.family) if word.family == 6 else None
    address = address or values.pton(name, word.family)
    if address is None:
        raise XtablesError("getaddrinfo: Name or service not known\n")
    if not slash:
        return values.Net(word.family, address, full)
    try:
        bits = values.mask(bits_word, word.family)
    except XtablesError:
        raise XtablesError(
            f'{word.extension}: bad value for option "--{word.option}", '
            f"neither a valid network mask nor valid CIDR ({0}-{8 * len(full)}).\n"
        ) from None
    net = values.Net(word.family, address, bits)
    # The address is kept as it was given; a mask with holes counts as a full one.
    return net if net.prefix_length is not None else replace(net, mask=full)
