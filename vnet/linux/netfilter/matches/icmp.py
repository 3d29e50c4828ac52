"""``-m icmp`` and ``-m icmp6``: type and code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.matches.icmp_names import (
    ANY_TYPE,
    ICMP_KINDS,
    ICMPV6_KINDS,
    Kind,
    name_of,
    read_kind,
)
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import ICMP, ICMPV6, NfPacket
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, Word

_NFT_NAMES = {
    133: "nd-router-solicit",
    134: "nd-router-advert",
    135: "nd-neighbor-solicit",
    136: "nd-neighbor-advert",
    137: "nd-redirect",
}


def _read4(word: Word) -> Kind:
    return read_kind(word.text, ICMP_KINDS, "ICMP")


def _read6(word: Word) -> Kind:
    return read_kind(word.text, ICMPV6_KINDS, "ICMPv6")


@dataclass(frozen=True, slots=True)
class IcmpMatch(Match):
    """``kind``, or with ``negated`` every other."""

    NAME: ClassVar[str] = "icmp"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("icmp-type", _read4, negatable=True, required=True),
    )
    PROTOCOL: ClassVar[int] = ICMP
    KINDS: ClassVar[list[tuple[str, Kind]]] = ICMP_KINDS
    SHOWN_NAME: ClassVar[str] = "icmp"
    NFT_NAME: ClassVar[str] = "icmp"

    kind: Kind
    negated: bool

    @classmethod
    def read(cls, given: Given) -> IcmpMatch:
        option = cls.OPTIONS[0].name
        return cls(given.get(option), option in given.negated)

    def saved(self) -> str:
        kind, first, last = self.kind
        text = str(kind) if (first, last) == (0, 255) else f"{kind}/{first}"
        if kind == ANY_TYPE and self.PROTOCOL == ICMP:
            text = "any"
        return f"{negation(self.negated)}--{self.OPTIONS[0].name} {text}"

    def shown(self, *, numeric: bool) -> str:
        name = None if numeric else name_of(self.kind, self.KINDS)
        if name is not None:
            return f"{self.SHOWN_NAME} {'!' if self.negated else ''}{name}"
        kind, first, last = self.kind
        text = f"{self.SHOWN_NAME}{' !' if self.negated else ''}type {kind}"
        if first == last:
            return f"{text} code {first}"
        return text if (first, last) == (0, 255) else f"{text} codes {first}-{last}"

    def nft(self) -> str | None:
        if self.kind.type == ANY_TYPE and self.PROTOCOL == ICMP:
            return "ip protocol icmp"
        name = None
        if self.kind.first_code != self.kind.last_code:
            name = name_of(self.kind, self.KINDS)
        if self.PROTOCOL == ICMPV6 and name is not None:
            name = _NFT_NAMES.get(self.kind.type, name)
        return None if name is None else f"{self.NFT_NAME} type{self._nft_negation} {name}"

    @property
    def _nft_negation(self) -> str:
        return " !=" if self.negated else ""

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        kind, first, last = self.kind
        every = kind == ANY_TYPE and self.PROTOCOL == ICMP
        protocol, negated = self.PROTOCOL, self.negated

        def meant(packet: NfPacket) -> bool:
            code = packet.icmp_code
            if code is None or packet.protocol != protocol:
                return False
            same = every or (packet.icmp_type == kind and first <= code <= last)
            return same is not negated

        return meant


@dataclass(frozen=True, slots=True)
class Icmpv6Match(IcmpMatch):
    """The same of ICMPv6."""

    NAME: ClassVar[str] = "icmp6"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("icmpv6-type", _read6, negatable=True, required=True),
    )
    PROTOCOL: ClassVar[int] = ICMPV6
    KINDS: ClassVar[list[tuple[str, Kind]]] = ICMPV6_KINDS
    SHOWN_NAME: ClassVar[str] = "ipv6-icmp"
    NFT_NAME: ClassVar[str] = "icmpv6"
