"""``-m physdev``: by which ports of a bridge a packet comes and goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.iptables.interface import Interface, read_interface
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test
from vnet.linux.netfilter.xtables.option import Given, Option, Word

_ORDER = (
    "physdev-is-in",
    "physdev-in",
    "physdev-is-out",
    "physdev-out",
    "physdev-is-bridged",
)
"""As it is written."""


def _device(word: Word) -> Interface:
    return read_interface(word.text)


@dataclass(frozen=True, slots=True)
class PhysdevMatch(Match):
    """``asked``: option, device (None of an option without) and whether it is negated."""

    NAME: ClassVar[str] = "physdev"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("physdev-in", _device, negatable=True),
        Option("physdev-out", _device, negatable=True),
        Option("physdev-is-in", negatable=True),
        Option("physdev-is-out", negatable=True),
        Option("physdev-is-bridged", negatable=True),
    )

    asked: tuple[tuple[str, Interface | None, bool], ...]

    @classmethod
    def read(cls, given: Given) -> PhysdevMatch:
        if not given.values:
            raise XtablesError("PHYSDEV: no physdev option specified")
        asked = []
        for name in _ORDER:
            value = given.get(name)
            if value is not None:
                device = value if isinstance(value, Interface) else None
                asked.append((name, device, name in given.negated))
        return cls(tuple(asked))

    def may_stand(self, table: str, hooks: frozenset[Hook]) -> bool:  # noqa: ARG002
        options = {option: negated for option, _, negated in self.asked}
        asks_out = bool({"physdev-out", "physdev-is-out"} & options.keys())
        is_bridged = not options.get("physdev-is-bridged", True)
        return Hook.OUTPUT not in hooks or not asks_out or is_bridged

    def saved(self) -> str:
        parts = []
        for option, device, negated in self.asked:
            value = "" if device is None else f" {device.name}"
            parts.append(f"{'! ' if negated else ''}--{option}{value}")
        return " ".join(parts)

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"PHYSDEV match {self.saved()}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        tests = [(_TESTS[option], device, negated) for option, device, negated in self.asked]

        def meant(packet: NfPacket) -> bool:
            # A packet that no bridge carries fits where every option is negated.
            if packet.bridge_entered is None and packet.bridge_leaves is None:
                return all(negated for _, _, negated in tests)
            return all(test(packet, device) is not negated for test, device, negated in tests)

        return meant


def _is_in(packet: NfPacket, device: Interface | None) -> bool:
    found = packet.bridge_entered
    return found is not None and (device is None or device.fits(found.name))


def _is_out(packet: NfPacket, device: Interface | None) -> bool:
    found = packet.bridge_leaves
    return found is not None and (device is None or device.fits(found.name))


def _is_bridged(packet: NfPacket, device: Interface | None) -> bool:  # noqa: ARG001
    return packet.bridge_leaves is not None


_TESTS: dict[str, Callable[[NfPacket, Interface | None], bool]] = {
    "physdev-is-in": _is_in,
    "physdev-in": _is_in,
    "physdev-is-out": _is_out,
    "physdev-out": _is_out,
    "physdev-is-bridged": _is_bridged,
}
