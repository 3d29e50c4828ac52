"""``-m mac`` and ``-m pkttype``: what the frame says that brought a packet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.base.ids import is_multicast_ip, mac_text
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.linux.netfilter.xtables.values import mac
from vnet.netdev.loopback import Loopback

_BROADCAST = b"\xff" * 6


def _read_mac(word: Word) -> bytes:
    return mac(word.text)


@dataclass(frozen=True, slots=True)
class MacMatch(Match):
    """Whose frame it was."""

    NAME: ClassVar[str] = "mac"
    HOOKS: ClassVar[tuple[Hook, ...] | None] = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("mac-source", _read_mac, negatable=True, required=True),
    )

    source: bytes
    negated: bool

    @classmethod
    def read(cls, given: Given) -> MacMatch:
        return cls(given.get("mac-source"), "mac-source" in given.negated)

    def saved(self) -> str:
        return f"{negation(self.negated)}--mac-source {mac_text(self.source)}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"MAC {negation(self.negated)}{mac_text(self.source)}"

    def nft(self) -> str | None:
        return f"ether saddr{' !=' if self.negated else ''} {mac_text(self.source)}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        source, negated = self.source, self.negated

        def meant(packet: NfPacket) -> bool:
            if packet.frame is None or packet.entered is None:
                return False
            return (packet.frame.data[6:12] == source) is not negated

        return meant


_TYPES = {
    "unicast": "unicast",
    "broadcast": "broadcast",
    "multicast": "multicast",
    "otherhost": "otherhost",
    "bcast": "broadcast",
    "mcast": "multicast",
    "host": "unicast",
}
_NFT_TYPES = {"otherhost": "3"}


def _read_type(word: Word) -> str:
    found = _TYPES.get(word.text.lower())
    if found is None:
        raise XtablesError(f"Bad packet type '{word.text}'")
    return found


@dataclass(frozen=True, slots=True)
class PkttypeMatch(Match):
    """To whom the frame was addressed."""

    NAME: ClassVar[str] = "pkttype"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("pkt-type", _read_type, negatable=True, required=True),
    )

    type: str
    negated: bool

    @classmethod
    def read(cls, given: Given) -> PkttypeMatch:
        return cls(given.get("pkt-type"), "pkt-type" in given.negated)

    def saved(self) -> str:
        return f"{negation(self.negated)}--pkt-type {self.type}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"PKTTYPE {'!' if self.negated else ''}= {self.type}"

    def nft(self) -> str | None:
        text = _NFT_TYPES.get(self.type, self.type)
        return f"pkttype{' !=' if self.negated else ''} {text}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        wanted, negated = self.type, self.negated
        return lambda packet: (_type_of(packet) == wanted) is not negated


def _type_of(packet: NfPacket) -> str:
    """What the kernel calls a packet by its frame; of one without by its address."""
    frame, device = packet.frame, packet.entered
    if frame is None or isinstance(device, Loopback):
        if packet.family == 4 and packet.target == b"\xff" * 4:
            return "broadcast"
        is_group = device is not None and is_multicast_ip(packet.target)
        return "multicast" if is_group else "unicast"
    target = frame.data[:6]
    if target == _BROADCAST:
        return "broadcast"
    if target[0] & 1:
        return "multicast"
    return "unicast" if device is None or target == device.mac else "otherhost"
