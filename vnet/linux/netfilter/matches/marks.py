"""``-m mark`` and ``-m connmark``: the mark of a packet, or of its connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, mark
from vnet.linux.netfilter.xtables.values import ALL_32, Masked


@dataclass(frozen=True, slots=True)
class MarkMatch(Match):
    """A mark, and which of its bits count."""

    NAME: ClassVar[str] = "mark"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("mark", mark, negatable=True, required=True),)

    mark: Masked
    negated: bool

    @classmethod
    def read(cls, given: Given) -> MarkMatch:
        return cls(given.get("mark"), "mark" in given.negated)

    def saved(self) -> str:
        return f"{negation(self.negated)}--mark {self.mark.text}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"mark match{' !' if self.negated else ''} {self.mark.text}"

    def nft(self) -> str | None:
        field = "meta mark"
        if self.mark.mask != ALL_32:
            field += f" & 0x{self.mark.mask:08x}"
        compared = " !=" if self.negated else " ==" if self.mark.mask != ALL_32 else ""
        return f"{field}{compared} 0x{self.mark.value:08x}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        value, bits, negated = self.mark.value, self.mark.mask, self.negated
        return lambda packet: (packet.mark & bits == value) is not negated


@dataclass(frozen=True, slots=True)
class ConnmarkMatch(MarkMatch):
    """The same of the connection."""

    NAME: ClassVar[str] = "connmark"
    PER_FLOW: ClassVar[bool] = False
    TRACKS: ClassVar[bool] = True

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"connmark match {'!' if self.negated else ''} {self.mark.text}"

    def nft(self) -> str | None:
        if self.mark.mask == ALL_32:
            return f"ct mark {'!= ' if self.negated else ''}{self.mark.value:#x}"
        compared = "!=" if self.negated else "=="
        return f"ct mark and {self.mark.mask:#x} {compared} {self.mark.value:#x}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        value, bits, negated = self.mark.value, self.mark.mask, self.negated

        def meant(packet: NfPacket) -> bool:
            conn = packet.track.conn if packet.track else None
            return conn is not None and (conn.mark & bits == value) is not negated

        return meant
