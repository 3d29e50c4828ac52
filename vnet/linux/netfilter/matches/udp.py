"""``-m udp``: ports of UDP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.matches.ports import (
    Ports,
    given_ports,
    options,
    reader,
    source_port,
    target_port,
)
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import UDP, NfPacket
from vnet.linux.netfilter.xtables.extension import Match, Test
from vnet.linux.netfilter.xtables.option import Given, Option


@dataclass(frozen=True, slots=True)
class UdpMatch(Match):
    """Both ports."""

    NAME: ClassVar[str] = "udp"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("source-port", reader("udp"), ("sport",), negatable=True),
        Option("destination-port", reader("udp"), ("dport",), negatable=True),
    )
    SPOKEN: ClassVar[int] = UDP
    IS_NATIVE: ClassVar[bool] = True

    source: Ports
    target: Ports

    @classmethod
    def read(cls, given: Given) -> UdpMatch:
        native, kept = cls.IS_NATIVE, not cls.IS_NATIVE
        return cls(
            given_ports(given, "source-port", is_native=native, is_kept=kept),
            given_ports(given, "destination-port", is_native=native, is_kept=kept),
        )

    @property
    def is_void(self) -> bool:
        is_negated = self.source.negated or self.target.negated
        return self.IS_NATIVE and is_negated and self.source.is_all and self.target.is_all

    def saved(self) -> str:
        return " ".join(self.source.saved("sport") + self.target.saved("dport"))

    def shown(self, *, numeric: bool) -> str:
        source = self.source.shown("spt", self.NAME, numeric=numeric)
        target = self.target.shown("dpt", self.NAME, numeric=numeric)
        return " ".join([self.NAME, *source, *target])

    def nft(self) -> str | None:
        source = self.source.nft(f"{self.NAME} sport")
        target = self.target.nft(f"{self.NAME} dport")
        return " ".join(source + target)

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        source = None if self.source.asks_nothing else self.source.test(source_port)
        target = None if self.target.asks_nothing else self.target.test(target_port)
        protocol = self.SPOKEN

        def meant(packet: NfPacket) -> bool:
            if packet.protocol != protocol or packet.source_port is None:
                return False
            return (source is None or source(packet)) and (target is None or target(packet))

        return meant


@dataclass(frozen=True, slots=True)
class SctpMatch(UdpMatch):
    """``-m sctp``: the same of SCTP."""

    NAME: ClassVar[str] = "sctp"
    OPTIONS: ClassVar[tuple[Option, ...]] = options("sctp")
    PROTOCOL: ClassVar[int] = 132
    SPOKEN: ClassVar[int] = 132
    IS_NATIVE: ClassVar[bool] = False
