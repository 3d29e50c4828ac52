"""``-m iprange``: addresses from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.linux.netfilter.xtables.values import address_text, numeric_address

Range = tuple[bytes, bytes]
_SIDES = (("src-range", "source", "saddr"), ("dst-range", "destination", "daddr"))


def _range(word: Word) -> Range:
    first, dash, last = word.text.partition("-")
    ends = []
    for text in (first, last if dash else first):
        address = numeric_address(text, word.family)
        if address is None:
            raise XtablesError(f'iprange: Bad value for "--{word.option}" option: "{text}"')
        ends.append(address)
    if ends[0] > ends[1]:
        word.notices.append(f"xt_iprange: range {first}-{last} is reversed and will never match\n")
    return ends[0], ends[1]


def _text(ends: Range) -> str:
    return f"{address_text(ends[0])}-{address_text(ends[1])}"


@dataclass(frozen=True, slots=True)
class IprangeMatch(Match):
    """Ends of source and target (None: nobody asks), and whether all others are meant."""

    NAME: ClassVar[str] = "iprange"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = tuple(
        Option(name, _range, negatable=True) for name, _, _ in _SIDES
    )

    ranges: tuple[Range | None, Range | None]
    negated: tuple[bool, bool]

    @classmethod
    def read(cls, given: Given) -> IprangeMatch:
        if not given.values:
            raise XtablesError("iprange match: You must specify `--src-range' or `--dst-range'")
        return cls(
            (given.get("src-range"), given.get("dst-range")),
            ("src-range" in given.negated, "dst-range" in given.negated),
        )

    def saved(self) -> str:
        parts = []
        for (option, _, _), ends, negated in zip(_SIDES, self.ranges, self.negated, strict=True):
            if ends is not None:
                parts.append(f"{'! ' if negated else ''}--{option} {_text(ends)}")
        return " ".join(parts)

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        parts = []
        for (_, side, _), ends, negated in zip(_SIDES, self.ranges, self.negated, strict=True):
            if ends is not None:
                parts.append(f"{side} IP range{' !' if negated else ''} {_text(ends)}")
        return " ".join(parts)

    def nft(self) -> str | None:
        # What reads rules for nft forgets the space between the two.
        parts = []
        for (_, _, field), ends, negated in zip(_SIDES, self.ranges, self.negated, strict=True):
            if ends is not None:
                family = "ip" if len(ends[0]) == 4 else "ip6"
                parts.append(f"{family} {field}{' !=' if negated else ''} {_text(ends)}")
        return "".join(parts)

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        (source, target), (source_negated, target_negated) = self.ranges, self.negated

        def meant(packet: NfPacket) -> bool:
            if source is not None:
                within = source[0] <= packet.source <= source[1]
                if within is source_negated:
                    return False
            if target is None:
                return True
            return (target[0] <= packet.target <= target[1]) is not target_negated

        return meant
