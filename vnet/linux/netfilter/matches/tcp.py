"""``-m tcp``: ports, flags and options of TCP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.matches.ports import (
    Ports,
    given_ports,
    options,
    source_port,
    target_port,
)
from vnet.linux.netfilter.matches.tcp_options import has_option
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import TCP, NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.linux.netfilter.xtables.values import number

FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
_ALL_FLAGS = 0x3F
_SYN_FLAGS = (0x17, 0x02)
_ONE_OF_BOTH = "Only one of `--syn' or `--tcp-flags'  allowed"


def _flags(text: str) -> int:
    found = 0
    for name in filter(None, text.split(",")):
        known = FLAGS | {"ALL": _ALL_FLAGS, "NONE": 0}
        if name.upper() not in known:
            raise XtablesError(f"Unknown TCP flag `{name}'")
        found |= known[name.upper()]
    return found


def _mask_and_set(word: Word) -> tuple[int, int]:
    mask, _, wanted = word.text.partition(" ")
    return _flags(mask), _flags(wanted)


def _kind(word: Word) -> int:
    found = number(word.text, 255, 1)
    if found is None:
        raise XtablesError(f'Bad TCP option "{word.text}"')
    return found


def flags_text(flags: int) -> str:
    """``FIN,SYN``."""
    if not flags:
        return "NONE"
    return ",".join(name for name, bit in FLAGS.items() if flags & bit)


@dataclass(frozen=True, slots=True)
class TcpMatch(Match):
    """``flags`` is a mask and which of its bits are set (both 0: nobody asks). ``kind`` is an
    option that must be there (0: nobody asks)."""

    NAME: ClassVar[str] = "tcp"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        *options("tcp"),
        Option("tcp-flags", _mask_and_set, negatable=True, n_words=2, once=_ONE_OF_BOTH),
        Option("syn", negatable=True, once=_ONE_OF_BOTH),
        Option("tcp-option", _kind, negatable=True, once="Only one `--tcp-option' allowed"),
    )

    source: Ports
    target: Ports
    flags: tuple[int, int]
    flags_negated: bool
    kind: int
    kind_negated: bool

    @classmethod
    def read(cls, given: Given) -> TcpMatch:
        flags = given.get("tcp-flags", _SYN_FLAGS if "syn" in given.values else (0, 0))
        if {"syn", "tcp-flags"} <= given.values.keys():
            raise XtablesError(_ONE_OF_BOTH)
        is_native = "tcp-option" not in given.values
        return cls(
            given_ports(given, "source-port", is_native=is_native),
            given_ports(given, "destination-port", is_native=is_native),
            flags,
            bool(given.negated & {"syn", "tcp-flags"}),
            given.get("tcp-option", 0),
            "tcp-option" in given.negated,
        )

    @property
    def is_per_flow(self) -> bool:
        return not self.kind and not self.flags[0] & FLAGS["PSH"]

    @property
    def asks_flags(self) -> bool:
        # Not to have none of no flags is nothing in nftables' own words.
        return bool(self.flags[0]) or (self.flags_negated and bool(self.kind))

    @property
    def is_void(self) -> bool:
        is_negated = self.source.negated or self.target.negated or self.flags_negated
        asks = self.kind or self.asks_flags
        return is_negated and not asks and self.source.is_all and self.target.is_all

    def saved(self) -> str:
        parts = self.source.saved("sport") + self.target.saved("dport")
        if self.kind:
            parts.append(f"{negation(self.kind_negated)}--tcp-option {self.kind}")
        if self.asks_flags:
            mask, wanted = map(flags_text, self.flags)
            parts.append(f"{negation(self.flags_negated)}--tcp-flags {mask} {wanted}")
        return " ".join(parts)

    def shown(self, *, numeric: bool) -> str:
        parts = ["tcp"]
        parts += self.source.shown("spt", "tcp", numeric=numeric)
        parts += self.target.shown("dpt", "tcp", numeric=numeric)
        if self.kind:
            parts.append(f"option={'!' if self.kind_negated else ''}{self.kind}")
        if self.asks_flags:
            mask, wanted = self.flags
            text = f"0x{mask:02X}/0x{wanted:02X}"
            if not numeric:
                text = f"{flags_text(mask)}/{flags_text(wanted)}"
            parts.append(f"flags:{'!' if self.flags_negated else ''}{text}")
        return " ".join(parts)

    def nft(self) -> str | None:
        ports = self.source.nft("tcp sport")
        ports += self.target.nft("tcp dport")
        if not self.kind:
            return " ".join((*self._nft_own_flags, *ports))
        option = f"tcp option {self.kind} {'missing' if self.kind_negated else 'exists'}"
        flags = []
        if self.asks_flags:
            mask, wanted = (self._nft_flags(flags) for flags in self.flags)
            flags.append(f"tcp flags {'!= ' if self.flags_negated else ''}{wanted} / {mask}")
        return " ".join((*ports, option, *flags))

    @property
    def _nft_own_flags(self) -> list[str]:
        """The flags as nft itself says them."""
        if not self.asks_flags:
            return []
        mask, wanted = self.flags
        names = self._nft_flags(mask)
        if not wanted:
            return [f"tcp flags {names if self.flags_negated else f'! {names}'}"]
        if mask == wanted and mask in FLAGS.values():
            return [f"tcp flags & {names} {'!=' if self.flags_negated else '=='} {names}"]
        compared = "!= " if self.flags_negated else ""
        return [f"tcp flags {compared}{self._nft_flags(wanted)} / {names}"]

    @staticmethod
    def _nft_flags(flags: int) -> str:
        return flags_text(flags).lower() if flags else "0x0"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        source = None if self.source.asks_nothing else self.source.test(source_port)
        target = None if self.target.asks_nothing else self.target.test(target_port)
        (mask, wanted), negated = self.flags, self.flags_negated
        asks_flags = self.asks_flags
        kind, kind_negated = self.kind, self.kind_negated

        def meant(packet: NfPacket) -> bool:
            flags = packet.tcp_flags
            if flags is None or packet.protocol != TCP:
                return False
            if asks_flags and (flags & mask == wanted) is negated:
                return False
            if kind and has_option(packet.transport, kind) is kind_negated:
                return False
            return (source is None or source(packet)) and (target is None or target(packet))

        return meant
