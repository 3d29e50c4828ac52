"""``-m length``, ``ttl``, ``hl``, ``tos``, ``dscp`` and ``tcpmss``: numbers in headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.matches.tcp_options import mss_of
from vnet.linux.netfilter.matches.tos_words import (
    TosValue,
    read_class,
    read_tos,
    traffic_class,
)
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import TCP, NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, Word, pair, whole


def _range(word: Word) -> tuple[int, int]:
    found = pair(0xFFFF)(word)
    return found[0], found[-1]


def _mss_range(word: Word) -> tuple[int, int]:
    first, last = _range(word)
    if last < first:
        raise XtablesError("tcpmss: invalid range given")
    return first, last


@dataclass(frozen=True, slots=True)
class LengthMatch(Match):
    """Bytes of the IP packet, from ``first`` to ``last``."""

    NAME: ClassVar[str] = "length"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("length", _range, negatable=True, required=True),
    )
    SHOWN_NAME: ClassVar[str] = "length"
    NFT_NAME: ClassVar[str] = "meta length"

    first: int
    last: int
    negated: bool

    @classmethod
    def read(cls, given: Given) -> LengthMatch:
        option = cls.OPTIONS[0].name
        first, last = given.get(option)
        return cls(first, last, option in given.negated)

    def _list(self, to: str) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}{to}{self.last}"

    def saved(self) -> str:
        return f"{negation(self.negated)}--{self.OPTIONS[0].name} {self._list(':')}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"{self.SHOWN_NAME} {'!' if self.negated else ''}{self._list(':')}"

    def nft(self) -> str | None:
        return f"{self.NFT_NAME} {'!= ' if self.negated else ''}{self._list('-')}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        first, last, negated = self.first, self.last, self.negated
        return lambda packet: (first <= len(packet.data) <= last) is not negated


@dataclass(frozen=True, slots=True)
class TcpmssMatch(LengthMatch):
    """The MSS option of a TCP header; without one nothing is meant."""

    NAME: ClassVar[str] = "tcpmss"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("mss", _mss_range, negatable=True, required=True),
    )
    SHOWN_NAME: ClassVar[str] = "tcpmss match"
    NFT_NAME: ClassVar[str] = "tcp option maxseg size"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        first, last, negated = self.first, self.last, self.negated

        def meant(packet: NfPacket) -> bool:
            mss = mss_of(packet.transport) if packet.protocol == TCP else None
            if mss is None:
                return negated
            return (first <= mss <= last) is not negated

        return meant


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
    "<": lambda found, wanted: found < wanted,
    ">": lambda found, wanted: found > wanted,
}
_NFT_COMPARE = {"==": "", "!=": "!= ", "<": "lt ", ">": "gt "}


@dataclass(frozen=True, slots=True)
class TtlMatch(Match):
    """The TTL beside ``value``: ``==``, ``!=``, ``<`` or ``>``."""

    NAME: ClassVar[str] = "ttl"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("ttl-lt", whole(255), excludes=("ttl-gt", "ttl-eq")),
        Option("ttl-gt", whole(255), excludes=("ttl-lt", "ttl-eq")),
        Option("ttl-eq", whole(255), ("ttl",), negatable=True, excludes=("ttl-lt", "ttl-gt")),
    )
    NFT_FIELD: ClassVar[str] = "ip ttl"
    AT: ClassVar[int] = 8

    compared: str
    value: int

    @classmethod
    def read(cls, given: Given) -> TtlMatch:
        name = cls.NAME
        for option, compared in ((f"{name}-lt", "<"), (f"{name}-gt", ">"), (f"{name}-eq", "==")):
            if option in given.values:
                return cls("!=" if option in given.negated else compared, given.values[option])
        upper = name.upper()
        raise XtablesError(
            f"{upper} match: You must specify one of `--{name}-eq', `--{name}-lt', `--{name}-gt"
            + ("" if name == "ttl" else "'")
        )

    def saved(self) -> str:
        words = {"==": "eq", "!=": "eq", "<": "lt", ">": "gt"}
        mark = negation(self.compared == "!=")
        return f"{mark}--{self.NAME}-{words[self.compared]} {self.value}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        name = self.NAME.upper()
        return f"{name} match {name} {self.compared} {self.value}"

    def nft(self) -> str | None:
        return f"{self.NFT_FIELD} {_NFT_COMPARE[self.compared]}{self.value}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        compare, value, at = _COMPARE[self.compared], self.value, self.AT
        return lambda packet: compare(packet.data[at], value)


@dataclass(frozen=True, slots=True)
class HlMatch(TtlMatch):
    """The same of IPv6's hop limit."""

    NAME: ClassVar[str] = "hl"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("hl-lt", whole(255), excludes=("hl-gt", "hl-eq")),
        Option("hl-gt", whole(255), excludes=("hl-lt", "hl-eq")),
        Option("hl-eq", whole(255), ("hl",), negatable=True, excludes=("hl-lt", "hl-gt")),
    )
    NFT_FIELD: ClassVar[str] = "ip6 hoplimit"
    AT: ClassVar[int] = 7


@dataclass(frozen=True, slots=True)
class TosMatch(Match):
    """The type of service, and which of its bits count."""

    NAME: ClassVar[str] = "tos"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("tos", read_tos, negatable=True, required=True),
    )

    tos: TosValue
    negated: bool

    @classmethod
    def read(cls, given: Given) -> TosMatch:
        return cls(given.get("tos"), "tos" in given.negated)

    def saved(self) -> str:
        return f"{negation(self.negated)}--tos {self.tos.text}"

    def shown(self, *, numeric: bool) -> str:
        symbol = None if numeric else self.tos.symbol
        written = f" {symbol}" if symbol else self.tos.text
        return f"tos match{'!' if self.negated else ''}{written}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        (value, bits), negated = self.tos, self.negated
        return lambda packet: (traffic_class(packet) & bits == value) is not negated


@dataclass(frozen=True, slots=True)
class DscpMatch(Match):
    """The upper six bits of the type of service."""

    NAME: ClassVar[str] = "dscp"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("dscp", whole(63), negatable=True, excludes=("dscp-class",)),
        Option("dscp-class", read_class, negatable=True, excludes=("dscp",)),
    )

    dscp: int
    negated: bool
    family: int

    @classmethod
    def read(cls, given: Given) -> DscpMatch:
        if not given.values:
            raise XtablesError("DSCP match: Parameter --dscp is required")
        dscp = given.get("dscp", given.get("dscp-class"))
        return cls(dscp, bool(given.negated), given.family)

    def saved(self) -> str:
        return f"{negation(self.negated)}--dscp 0x{self.dscp:02x}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"DSCP match {'!' if self.negated else ''}0x{self.dscp:02x}"

    def nft(self) -> str | None:
        family = "ip" if self.family == 4 else "ip6"
        return f"{family} dscp {'!= ' if self.negated else ''}0x{self.dscp:02x}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        dscp, negated = self.dscp, self.negated
        return lambda packet: (traffic_class(packet) >> 2 == dscp) is not negated
