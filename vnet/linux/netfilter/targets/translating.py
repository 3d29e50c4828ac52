"""``-j SNAT``, ``DNAT``, ``MASQUERADE``, ``REDIRECT`` and ``NETMAP``: translate addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.targets.nat_words import (
    choice_text,
    chosen,
    flag_texts,
    ports_text,
    read_destination,
    read_ports,
)
from vnet.linux.netfilter.verdict import Verdict
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, host_mask
from vnet.linux.netfilter.xtables.values import Net, any_net, masked
from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.linux.nat_range import NatRange

_INCOMING = (Hook.PREROUTING, Hook.OUTPUT)
_OUTGOING = (Hook.INPUT, Hook.POSTROUTING)
_RANDOM, _FULLY, _PERSISTENT = Option("random"), Option("random-fully"), Option("persistent")


@dataclass(frozen=True, slots=True)
class NatTarget(Target):
    """What all have in common: ``choice`` says to what."""

    TABLES: ClassVar[tuple[str, ...] | None] = ("nat",)
    TRACKS: ClassVar[bool] = True
    SHOWN_AS: ClassVar[str]
    NFT_NAME: ClassVar[str]

    choice: NatRange

    @property
    def _to(self) -> str:
        return choice_text(self.choice)

    def saved(self) -> str:
        to = [f"--{self.OPTIONS[0].name} {self._to}"] if self._to else []
        return " ".join(to + [f"--{flag}" for flag in flag_texts(self.choice)])

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        to = [self.SHOWN_AS + self._to] if self._to else []
        return " ".join(to + flag_texts(self.choice))

    def nft(self) -> str | None:
        if self.choice.base_port is not None:
            return None
        to = choice_text(self.choice)
        names = {"random-fully": "fully-random"}
        flags = ",".join(names.get(flag, flag) for flag in flag_texts(self.choice))
        parts = [self.NFT_NAME, f"to {to}" if to else "", flags]
        return " ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class SnatTarget(NatTarget):
    """Translate the source."""

    NAME: ClassVar[str] = "SNAT"
    HOOKS: ClassVar[tuple[Hook, ...] | None] = _OUTGOING
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("to-source", read_destination, required=True),
        *(_RANDOM, _FULLY, _PERSISTENT),
    )
    SHOWN_AS: ClassVar[str] = "to:"
    NFT_NAME: ClassVar[str] = "snat"

    @classmethod
    def read(cls, given: Given) -> SnatTarget:
        return cls(chosen(given, "to-source"))

    def act(self, netfilter: Netfilter) -> Act:
        choice, set_up = self.choice, netfilter.nat.set_up
        return lambda packet: set_up(packet, NatKind.SOURCE, choice)


@dataclass(frozen=True, slots=True)
class DnatTarget(NatTarget):
    """Translate the destination."""

    NAME: ClassVar[str] = "DNAT"
    HOOKS: ClassVar[tuple[Hook, ...] | None] = _INCOMING
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("to-destination", read_destination, required=True),
        *(_RANDOM, _PERSISTENT),
    )
    SHOWN_AS: ClassVar[str] = "to:"
    NFT_NAME: ClassVar[str] = "dnat"

    @classmethod
    def read(cls, given: Given) -> DnatTarget:
        return cls(chosen(given, "to-destination"))

    def act(self, netfilter: Netfilter) -> Act:
        choice, set_up = self.choice, netfilter.nat.set_up
        return lambda packet: set_up(packet, NatKind.DESTINATION, choice)


@dataclass(frozen=True, slots=True)
class MasqueradeTarget(NatTarget):
    """The source becomes the address of the device that the packet leaves by."""

    NAME: ClassVar[str] = "MASQUERADE"
    HOOKS: ClassVar[tuple[Hook, ...] | None] = (Hook.POSTROUTING,)
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("to-ports", read_ports), _RANDOM, _FULLY)
    SHOWN_AS: ClassVar[str] = "masq ports: "
    NFT_NAME: ClassVar[str] = "masquerade"

    @classmethod
    def read(cls, given: Given) -> MasqueradeTarget:
        return cls(chosen(given, "to-ports"))

    @property
    def _to(self) -> str:
        return ports_text(self.choice)

    def act(self, netfilter: Netfilter) -> Act:
        choice, masquerade = self.choice, netfilter.nat.masquerade
        return lambda packet: masquerade(packet, choice)


@dataclass(frozen=True, slots=True)
class RedirectTarget(NatTarget):
    """The destination becomes this machine."""

    NAME: ClassVar[str] = "REDIRECT"
    HOOKS: ClassVar[tuple[Hook, ...] | None] = _INCOMING
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("to-ports", read_ports), _RANDOM)
    SHOWN_AS: ClassVar[str] = "redir ports "
    NFT_NAME: ClassVar[str] = "redirect"

    @classmethod
    def read(cls, given: Given) -> RedirectTarget:
        return cls(chosen(given, "to-ports"))

    @property
    def _to(self) -> str:
        return ports_text(self.choice)

    def act(self, netfilter: Netfilter) -> Act:
        choice, redirect = self.choice, netfilter.nat.redirect
        return lambda packet: redirect(packet, choice)


@dataclass(frozen=True, slots=True)
class NetmapTarget(Target):
    """One network becomes another; what is not of the network stays as it is."""

    NAME: ClassVar[str] = "NETMAP"
    TABLES: ClassVar[tuple[str, ...] | None] = ("nat",)
    HOOKS: ClassVar[tuple[Hook, ...] | None] = (
        *(Hook.PREROUTING, Hook.OUTPUT, Hook.POSTROUTING, Hook.INPUT),
    )
    TRACKS: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("to", host_mask, required=True),)

    to: Net

    @classmethod
    def read(cls, given: Given) -> NetmapTarget:
        to = given.get("to", any_net(given.family))
        return cls(Net(to.family, masked(to.address, to.mask), to.mask))

    def saved(self) -> str:
        return f"--to {self._text}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"to:{self._text}"

    @property
    def _text(self) -> str:
        return self.to.saved

    def act(self, netfilter: Netfilter) -> Act:
        set_up = netfilter.nat.set_up
        choice = NatRange(self.to.address, self.to.address, netmap=self.to.mask)

        def translate(packet: NfPacket) -> Verdict:
            is_target = packet.hook in _INCOMING
            return set_up(packet, NatKind.DESTINATION if is_target else NatKind.SOURCE, choice)

        return translate
