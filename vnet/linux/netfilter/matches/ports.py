"""Ranges of ports, as tcp, udp and sctp write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.extension import Test, negation
from vnet.linux.netfilter.xtables.names import port_text
from vnet.linux.netfilter.xtables.option import Given, Option, Reader, Word
from vnet.linux.netfilter.xtables.values import port_range

ALL_PORTS = (0, 0xFFFF)


def reader(protocol: str) -> Reader:
    """``22``, ``22:80``, names allowed."""

    def read(word: Word) -> tuple[int, int]:
        return port_range(word.text, protocol)

    return read


def options(protocol: str) -> tuple[Option, Option]:
    """``--sport`` and ``--dport``."""
    read = reader(protocol)
    only_one = "Only one `--{name}' allowed"
    return (
        Option("source-port", read, ("sport",), negatable=True, once=only_one),
        Option("destination-port", read, ("dport",), negatable=True, once=only_one),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Ports:
    """Ports that are meant, or with ``negated`` those that are not. ``is_native`` says that they
    are in nftables' own words: not to be below a port is to be above another one there, and not to
    be any port is nothing. ``is_said`` says that even all ports are worth a word."""

    first: int
    last: int
    negated: bool
    is_native: bool
    is_said: bool = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ports):
            return False
        return (self._said(), self.is_said) == (other._said(), other.is_said)

    def __hash__(self) -> int:
        return hash(self._said())

    @property
    def is_all(self) -> bool:
        return (self.first, self.last) == ALL_PORTS

    @property
    def is_unsaid(self) -> bool:
        """Whether there are no words for it."""
        return self.is_all and not self.is_said

    @property
    def asks_nothing(self) -> bool:
        """Whether every packet with ports is meant."""
        return self.is_all and (self.is_native or not self.negated)

    def _said(self) -> tuple[int, int, bool]:
        """Both ends and the negation, as iptables finds them again."""
        if self.is_native and self.is_all:
            return *ALL_PORTS, False
        if self.is_native and self.negated and self.first == 0 and self.last:
            return self.last + 1, ALL_PORTS[1], False
        return self.first, self.last, self.negated

    def saved(self, option: str) -> list[str]:
        """``--dport 22``, and nothing where all ports are meant."""
        if self.is_unsaid:
            return []
        first, last, negated = self._said()
        text = str(first) if first == last else f"{first}:{last}"
        return [f"{negation(negated)}--{option} {text}"]

    def shown(self, name: str, protocol: str, *, numeric: bool) -> list[str]:
        """``dpt:22`` or ``dpts:22:80``."""
        if self.asks_nothing:
            return []
        first, last, negated = self._said()
        mark = "!" if negated else ""
        text = port_text(first, protocol, numeric=numeric)
        if first == last:
            return [f"{name}:{mark}{text}"]
        return [f"{name}s:{mark}{text}:{port_text(last, protocol, numeric=numeric)}"]

    def nft(self, field: str) -> list[str]:
        """``tcp dport 22-80``; nft itself says ``<= 80`` of what begins with 0."""
        if self.is_unsaid:
            return []
        mark = "!= " if self.negated else ""
        if self.is_native and self.first == 0 and self.last:
            return [f"{field} {'>' if self.negated else '<='} {self.last}"]
        text = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return [f"{field} {mark}{text}"]

    def test(self, which: Callable[[NfPacket], int | None]) -> Test:
        """A packet without ports is never meant."""
        first, last, negated = self.first, self.last, self.negated

        def meant(packet: NfPacket) -> bool:
            port = which(packet)
            return port is not None and (first <= port <= last) is not negated

        return meant


def given_ports(given: Given, option: str, *, is_native: bool, is_kept: bool = False) -> Ports:
    """What an option was given, or all ports. ``is_kept`` says that the match remembers whether
    it was given at all."""
    first, last = given.get(option, ALL_PORTS)
    is_said = is_kept and option in given.values
    return Ports(first, last, option in given.negated, is_native, is_said)


def source_port(packet: NfPacket) -> int | None:
    return packet.source_port


def target_port(packet: NfPacket) -> int | None:
    return packet.target_port
