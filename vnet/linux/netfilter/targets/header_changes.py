"""``-j TTL``, ``HL``, ``TOS`` and ``DSCP``: change numbers in headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.matches.tos_words import (
    TosValue,
    read_class,
    read_tos,
    traffic_class,
)
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, whole
from vnet.wire.checksum import checksum_rewritten

_MANGLE: tuple[str, ...] = ("mangle",)
_CHECK = slice(10, 12)
_WAYS = {"set": "set to", "dec": "decrement by", "inc": "increment by"}


def with_header_byte(packet: NfPacket, at: int, value: int) -> bytes:
    """The packet's bytes with another one in the IP header; IPv4's checksum goes with it."""
    data = packet.data
    changed = data[:at] + bytes((value,)) + data[at + 1 :]
    if packet.family == 6 or value == data[at]:
        return changed
    word = slice(at & ~1, (at & ~1) + 2)
    check = checksum_rewritten(int.from_bytes(data[_CHECK], "big"), data[word], changed[word])
    return changed[: _CHECK.start] + check.to_bytes(2, "big") + changed[_CHECK.stop :]


@dataclass(frozen=True, slots=True)
class TtlTarget(Target):
    """``way``: ``set``, ``dec`` or ``inc``."""

    NAME: ClassVar[str] = "TTL"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    TABLES: ClassVar[tuple[str, ...] | None] = _MANGLE
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("ttl-set", whole(255), excludes=("ttl-dec", "ttl-inc")),
        Option("ttl-dec", whole(255, 1), excludes=("ttl-set", "ttl-inc")),
        Option("ttl-inc", whole(255, 1), excludes=("ttl-set", "ttl-dec")),
    )

    way: str
    value: int

    @classmethod
    def read(cls, given: Given) -> TtlTarget:
        for option in cls.OPTIONS:
            if option.name in given.values:
                return cls(option.name.partition("-")[2], given.values[option.name])
        raise XtablesError(f"{cls.NAME}: You must specify an action")

    def saved(self) -> str:
        return f"--{self.NAME.lower()}-{self.way} {self.value}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"{self.NAME} {_WAYS[self.way]} {self.value}"

    def _new(self, ttl: int) -> int:
        if self.way == "set":
            return self.value
        return max(ttl - self.value, 0) if self.way == "dec" else min(ttl + self.value, 255)

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        new = self._new

        def change(packet: NfPacket) -> None:
            at = 8 if packet.family == 4 else 7
            packet.data = with_header_byte(packet, at, new(packet.data[at]))

        return change


@dataclass(frozen=True, slots=True)
class HlTarget(TtlTarget):
    """The same of IPv6's hop limit."""

    NAME: ClassVar[str] = "HL"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("hl-set", whole(255), excludes=("hl-dec", "hl-inc")),
        Option("hl-dec", whole(255, 1), excludes=("hl-set", "hl-inc")),
        Option("hl-inc", whole(255, 1), excludes=("hl-set", "hl-dec")),
    )


def set_traffic_class(packet: NfPacket, value: int) -> None:
    """Give a packet of either family another type of service."""
    data = packet.data
    if packet.family == 4:
        packet.data = with_header_byte(packet, 1, value)
    else:
        first = (data[0] & 0xF0 | value >> 4, data[1] & 0x0F | (value & 0x0F) << 4)
        packet.data = bytes(first) + data[2:]


_TOS_OPTIONS = ("set-tos", "and-tos", "or-tos", "xor-tos")


@dataclass(frozen=True, slots=True)
class TosTarget(Target):
    """Clear the bits of the mask, then flip those of the value."""

    NAME: ClassVar[str] = "TOS"
    TABLES: ClassVar[tuple[str, ...] | None] = _MANGLE
    OPTIONS: ClassVar[tuple[Option, ...]] = tuple(
        Option(
            name,
            read_tos if name == "set-tos" else whole(255),
            excludes=tuple(other for other in _TOS_OPTIONS if other != name),
        )
        for name in _TOS_OPTIONS
    )

    tos: TosValue

    @classmethod
    def read(cls, given: Given) -> TosTarget:
        option = next((name for name in _TOS_OPTIONS if name in given.values), None)
        if option is None:
            raise XtablesError("TOS: An action is required")
        value = given.values[option]
        if option == "set-tos":
            return cls(value)
        if option == "and-tos":
            return cls(TosValue(0, value ^ 0xFF))
        return cls(TosValue(value, value if option == "or-tos" else 0))

    def saved(self) -> str:
        return f"--set-tos {self.tos.text}"

    def shown(self, *, numeric: bool) -> str:
        value, mask = self.tos
        if numeric:
            return f"TOS set {self.tos.text}"
        if self.tos.symbol:
            return f" TOS set{self.tos.symbol}"
        if value == 0:
            return f"TOS and 0x{mask ^ 0xFF:02x}"
        if value == mask:
            return f"TOS or 0x{value:02x}"
        return f"TOS xor 0x{value:02x}" if mask == 0 else f"TOS set {self.tos.text}"

    def nft(self) -> str | None:
        # What reads rules for nft says "ip6" of both families.
        value, mask = self.tos
        if mask & 0x3F == 0x3F:
            text = f"0x{value >> 2:02x}"
        elif value == 0:
            text = f"ip6 dscp and 0x{(mask ^ 0xFF) >> 2:02x}"
        elif value == mask:
            text = f"ip6 dscp or 0x{value >> 2:02x}"
        elif mask == 0:
            text = f"ip6 dscp xor 0x{value >> 2:02x}"
        else:
            text = f"ip6 dscp and 0x{(mask ^ 0xFF) >> 2:02x} xor 0x{value >> 2:02x}"
        return f"ip6 dscp set {text}"

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        value, mask = self.tos

        def change(packet: NfPacket) -> None:
            set_traffic_class(packet, traffic_class(packet) & ~mask & 0xFF ^ value)

        return change


@dataclass(frozen=True, slots=True)
class DscpTarget(Target):
    """The upper six bits of the type of service."""

    NAME: ClassVar[str] = "DSCP"
    TABLES: ClassVar[tuple[str, ...] | None] = _MANGLE
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("set-dscp", whole(63), excludes=("set-dscp-class",)),
        Option("set-dscp-class", read_class, excludes=("set-dscp",)),
    )

    dscp: int
    family: int

    @classmethod
    def read(cls, given: Given) -> DscpTarget:
        if not given.values:
            raise XtablesError("DSCP target: Parameter --set-dscp is required")
        return cls(given.get("set-dscp", given.get("set-dscp-class")), given.family)

    def saved(self) -> str:
        return f"--set-dscp 0x{self.dscp:02x}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"DSCP set 0x{self.dscp:02x}"

    def nft(self) -> str | None:
        return f"{'ip' if self.family == 4 else 'ip6'} dscp set 0x{self.dscp:02x}"

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        dscp = self.dscp

        def change(packet: NfPacket) -> None:
            set_traffic_class(packet, traffic_class(packet) & 3 | dscp << 2)

        return change
