"""``-m multiport``: up to fifteen ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.names import port_text
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.linux.netfilter.xtables.values import port

_NAMES = {6: "tcp", 17: "udp", 136: "udplite", 132: "sctp", 33: "dccp"}
_MOST = 15
_TOO_MANY = "too many ports specified"
_WAYS = ("sports", "dports", "ports")


def _read(word: Word) -> tuple[tuple[int, int], ...]:
    name = _protocol_name(-1 if word.protocol_negated else word.protocol)
    found, n_places = [], 0
    for part in word.text.split(","):
        first, colon, last = part.partition(":")
        if n_places >= _MOST or (colon and n_places == _MOST - 1):
            raise XtablesError(_TOO_MANY)
        low = port(first, name)
        high = port(last, name) if colon else low
        if colon and low >= high:
            raise XtablesError("invalid portrange specified")
        found.append((low, high))
        n_places += 2 if colon else 1
    return tuple(found)


def _protocol_name(protocol: int) -> str:
    if not protocol:
        raise XtablesError(
            "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'"
        )
    name = _NAMES.get(protocol)
    if name is None:
        raise XtablesError("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP")
    return name


@dataclass(frozen=True, slots=True)
class MultiportMatch(Match):
    """``way`` is ``sports``, ``dports`` or ``ports`` (either)."""

    NAME: ClassVar[str] = "multiport"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("source-ports", _read, ("sports",), negatable=True),
        Option("destination-ports", _read, ("dports",), negatable=True),
        Option("ports", _read, negatable=True),
    )

    way: str
    ranges: tuple[tuple[int, int], ...]
    negated: bool
    protocol: int

    @classmethod
    def read(cls, given: Given) -> MultiportMatch:
        if not given.values:
            raise XtablesError("multiport expection an option")
        names = [option.name for option in cls.OPTIONS]
        used = [name for name in names if name in given.values]
        if len(used) > 1:
            raise XtablesError(
                f'multiport: option "--{used[0]}" cannot be used together with "--{used[1]}".\n'
            )
        way = _WAYS[names.index(used[0])]
        return cls(way, given.values[used[0]], bool(given.negated), given.protocol)

    def _list(self, *, numeric: bool, to: str = ":", between: str = ",") -> str:
        name = _NAMES[self.protocol]
        texts = []
        for first, last in self.ranges:
            text = port_text(first, name, numeric=numeric)
            if last != first:
                text += to + port_text(last, name, numeric=numeric)
            texts.append(text)
        return between.join(texts)

    def saved(self) -> str:
        return f"{negation(self.negated)}--{self.way} {self._list(numeric=True)}"

    def shown(self, *, numeric: bool) -> str:
        mark = " !" if self.negated else ""
        return f"multiport {self.way} {mark}{self._list(numeric=numeric)}"

    def nft(self) -> str | None:
        name = _NAMES[self.protocol]
        if self.way == "ports":
            return self._nft_either(name)
        mark = "!= " if self.negated else ""
        text = self._list(numeric=True, to="-", between=", ")
        if len(self.ranges) > 1:
            text = f"{{ {text} }}"
        return f"{name} {'sport' if self.way == 'sports' else 'dport'} {mark}{text}"

    def _nft_either(self, name: str) -> str:
        # Ends of ranges are taken for ports of their own.
        ports = [port for ends in self.ranges for port in dict.fromkeys(ends)]
        pairs = [f"0-65535 . {port}, {port} . 0-65535" for port in ports]
        return f"{name} sport . {name} dport {{ {', '.join(pairs)} }}"

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        ranges, negated = self.ranges, self.negated
        source, target = self.way != "dports", self.way != "sports"

        def within(number: int) -> bool:
            return any(first <= number <= last for first, last in ranges)

        def meant(packet: NfPacket) -> bool:
            ports = packet.source_port, packet.target_port
            if ports[0] is None or ports[1] is None:
                return False
            found = (source and within(ports[0])) or (target and within(ports[1]))
            return found is not negated

        return meant
