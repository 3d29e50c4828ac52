"""The kinds of attributes (OVS_KEY_ATTR_*) that a datapath flow is a row of.

An attribute's values are a tuple of integers, as wide as the datapath's interface has them,
which is not always as wide as in a flow: fragment types are an enumeration, an ARP operation
has 16 bits, ICMP types have 8. A kind knows how to read them from a flow, write them back,
print them and scan them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vnet.ovs.dpif.text.notation import Notation
from vnet.ovs.flow.flow import Bits

Values = tuple[int, ...]

PortNames = Mapping[int, str]
"""Names of datapath ports by number."""
PortNumbers = Mapping[str, int]
"""Numbers of datapath ports by name."""


def port_text(port: int, names: PortNames) -> str:
    """A datapath port's name, or its number."""
    return names.get(port, str(port))


class Style(NamedTuple):
    """How to print: ``verbose`` shows what is wildcarded, too."""

    verbose: bool = False
    port_names: PortNames | None = None


class ScannedAttribute(NamedTuple):
    """Values, masks, and where the attribute ends (behind its parenthesis)."""

    values: Values
    masks: Values
    end: int


class TooLongError(ValueError):
    """An attribute is longer than netlink can say."""


class Kind(ABC):
    """A kind of attribute; compared by identity."""

    is_always_shown = False
    """Shown even where the mask has no bit set."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def read(self, key: int) -> Values:
        """The values in a flow."""

    def read_masks(self, mask: int) -> Values:
        """The same of a flow's mask."""
        return self.read(mask)

    @abstractmethod
    def write(self, values: Values) -> int:
        """The bits of a flow with these values."""

    def write_masks(self, masks: Values) -> int:
        """The same of a flow's mask."""
        return self.write(masks)

    def is_wildcard(self, masks: Values, /) -> bool:
        """Whether nothing is matched."""
        return not any(masks)

    @abstractmethod
    def is_exact(self, masks: Values) -> bool:
        """Whether all is matched."""

    @abstractmethod
    def text(self, values: Values, masks: Values | None, style: Style, /) -> str:
        """What stands between the parentheses. No masks: an exact match."""

    @abstractmethod
    def scan(self, text: str, at: int, ports: PortNumbers, /) -> ScannedAttribute | None:
        """Read an attribute from behind its opening parenthesis; ``ports`` have names.

        None for what is none. Raises :class:`TooLongError`.
        """


MEMBER_NAME = re.compile(r"([a-z0-9_]+)=")


def scan_list(text: str, at: int, scan_one: Callable[[int], int | None]) -> int | None:
    """Read what is set apart by commas up to a closing parenthesis; the place behind that.

    ``scan_one`` reads one at a place and returns its end: the same place if there is none, None
    if it is bad.
    """
    while True:
        end = scan_one(at)
        if end is None:
            return None
        is_more = end > at and text.startswith(",", end)
        at = end
        if not is_more:
            return at + 1 if text.startswith(")", at) else None
        at += 1


def _same(value: int, _is_mask: bool) -> int:
    return value


@dataclass(frozen=True, slots=True)
class Member:
    """A number in a structure: its name in text, notation, and place in a flow.

    ``encode`` and ``decode`` lead from the flow's number to the attribute's and back; their
    second argument says whether it is a mask. ``other_name`` is read as well.
    """

    name: str
    notation: Notation
    bits: Bits
    encode: Callable[[int, bool], int] = _same
    decode: Callable[[int, bool], int] = _same
    other_name: str = ""

    def text(self, value: int, mask: int | None, *, verbose: bool) -> str:
        """``NAME=VALUE``, or nothing where it does not matter."""
        if mask == 0 and (not verbose or self.notation.is_enumeration):
            return ""
        return f"{self.name}={self.notation.masked_text(value, mask)}"


class StructKind(Kind):
    """An attribute of several numbers: ``eth(src=...,dst=...)``."""

    def __init__(self, name: str, *members: Member) -> None:
        super().__init__(name)
        self.members = members
        self.n_values = len(members)
        self._by_name = {
            shown: position
            for position, member in enumerate(members)
            for shown in (member.name, member.other_name)
            if shown
        }

    def read(self, key: int) -> Values:
        return self._encoded(key, is_mask=False)

    def read_masks(self, mask: int) -> Values:
        return self._encoded(mask, is_mask=True)

    def _encoded(self, key: int, *, is_mask: bool) -> Values:
        return tuple(member.encode(member.bits.of(key), is_mask) for member in self.members)

    def write(self, values: Values) -> int:
        return self._decoded(values, is_mask=False)

    def write_masks(self, masks: Values) -> int:
        return self._decoded(masks, is_mask=True)

    def _decoded(self, values: Values, *, is_mask: bool) -> int:
        return sum(
            (member.decode(value, is_mask) & member.bits.ones) << member.bits.shift
            for member, value in zip(self.members, values, strict=True)
        )

    def is_exact(self, masks: Values) -> bool:
        return all(
            member.notation.is_full(mask) for member, mask in zip(self.members, masks, strict=True)
        )

    def is_wildcard(self, masks: Values) -> bool:
        return not any(
            member.notation.full_mask & mask
            for member, mask in zip(self.members, masks, strict=True)
        )

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        of_members = masks if masks is not None else (None,) * len(values)
        parts = (
            member.text(value, mask, verbose=style.verbose)
            for member, value, mask in zip(self.members, values, of_members, strict=True)
        )
        return ",".join(part for part in parts if part)

    def scan(self, text: str, at: int, _ports: PortNumbers, /) -> ScannedAttribute | None:
        values = [0] * self.n_values
        masks = [0] * self.n_values

        def scan_member(here: int) -> int | None:
            return self._scan_member(text, here, values, masks)

        end = scan_list(text, at, scan_member)
        return None if end is None else ScannedAttribute(tuple(values), tuple(masks), end)

    def _scan_member(self, text: str, at: int, values: list[int], masks: list[int]) -> int | None:
        named = MEMBER_NAME.match(text, at)
        position = None if named is None else self._by_name.get(named[1])
        if named is None or position is None:
            return at
        scanned = self.members[position].notation.scan(text, named.end())
        if scanned is None:
            return None
        values[position], masks[position], end = scanned
        return end
