"""``-m addrtype``: what the routing tables say an address is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.matches.address_types import type_of
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test
from vnet.linux.netfilter.xtables.option import Given, Option, Word

TYPES = (
    *("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST"),
    *("BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"),
)

_NOT_OF_IPV6 = frozenset(("BROADCAST", "BLACKHOLE", *TYPES[8:]))
_UNKNOWN_AT = {
    "in": frozenset((Hook.OUTPUT, Hook.POSTROUTING)),
    "out": frozenset((Hook.PREROUTING, Hook.INPUT)),
}
"""Where the device is not known that addresses are to be of."""


def _types(word: Word) -> frozenset[str]:
    found = set()
    parts = word.text.split(",")
    for place, part in enumerate(parts):
        name = next((name for name in TYPES if part and name.startswith(part.upper())), None)
        if name is None:
            rest = ",".join(parts[place:])
            quoted = f'"{rest}"' if place == len(parts) - 1 else f"`{rest}'"
            raise XtablesError(f"addrtype: bad type {quoted}")
        found.add(name)
    return frozenset(found)


def _text(types: frozenset[str]) -> str:
    return ",".join(name for name in TYPES if name in types)


@dataclass(frozen=True, slots=True)
class AddrtypeMatch(Match):
    """``source`` and ``target``: types (none: nobody asks) and whether others are meant.
    ``limit`` is ``in`` or ``out``: addresses of that device alone count as local."""

    NAME: ClassVar[str] = "addrtype"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("src-type", _types, negatable=True),
        Option("dst-type", _types, negatable=True),
        Option("limit-iface-in", excludes=("limit-iface-out",)),
        Option("limit-iface-out", excludes=("limit-iface-in",)),
    )

    source: tuple[frozenset[str], bool]
    target: tuple[frozenset[str], bool]
    limit: str
    family: int

    @classmethod
    def read(cls, given: Given) -> AddrtypeMatch:
        if not {"src-type", "dst-type"} & given.values.keys():
            raise XtablesError("addrtype: you must specify --src-type or --dst-type")
        both = [
            (given.get(name, frozenset()), name in given.negated)
            for name in ("src-type", "dst-type")
        ]
        limit = next((way for way in ("in", "out") if given.get(f"limit-iface-{way}")), "")
        return cls(both[0], both[1], limit, given.family)

    def may_stand(self, table: str, hooks: frozenset[Hook]) -> bool:  # noqa: ARG002
        if self.family == 6 and (self.source[0] | self.target[0]) & _NOT_OF_IPV6:
            return False
        return not hooks & _UNKNOWN_AT.get(self.limit, frozenset())

    def saved(self) -> str:
        parts = []
        for option, (types, negated) in (("src-type", self.source), ("dst-type", self.target)):
            if types:
                parts.append(f"{'! ' if negated else ''}--{option} {_text(types)}")
        if self.limit:
            parts.append(f"--limit-iface-{self.limit}")
        return " ".join(parts)

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        parts = ["ADDRTYPE match"]
        for option, (types, negated) in (("src-type", self.source), ("dst-type", self.target)):
            if types:
                parts.append(f"{option} {'!' if negated else ''}{_text(types)}")
        if self.limit:
            parts.append(f"limit-{self.limit}")
        return " ".join(parts)

    def nft(self) -> str | None:
        field, types = ("saddr", self.source[0]) if self.source[0] else ("daddr", self.target[0])
        names = [name.lower() for name in TYPES[:9] if name in types]
        text = ", ".join(names)
        if len(types) > 1:
            text = f"{{ {text} }}"
        mark = "!= " if self.source[1] or self.target[1] else ""
        device = f". {self.limit[0]}if " if self.limit else ""
        return f"fib {field} {device}type {mark}{text}"

    def test(self, netfilter: Netfilter) -> Test:
        (source, source_negated), (target, target_negated) = self.source, self.target
        namespace, limit = netfilter.namespace, self.limit

        def meant(packet: NfPacket) -> bool:
            device = packet.entered if limit == "in" else packet.leaves if limit else None
            if source:
                found = type_of(namespace, packet.source, device, is_limited=bool(limit))
                if (found in source) is source_negated:
                    return False
            if target:
                found = type_of(namespace, packet.target, device, is_limited=bool(limit))
                return (found in target) is not target_negated
            return True

        return meant
