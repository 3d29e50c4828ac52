"""Which connections a command is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from vnet.linux.netfilter.conntrack_tool.text import ICMP, ICMPV6, TCP, WITH_PORTS, tcp_state
from vnet.linux.netfilter.xtables.values import Masked, Net, masked
from vnet.tables.conntrack.key import KeyParts, parts_of, zone_of
from vnet.tables.conntrack.linux.entry import Entry


@dataclass(slots=True)
class Choice:
    """What is asked of connections; what is left out every connection has.

    ``addresses`` and ``numbers`` are by their options (``orig-src``, ``reply-port-dst``,
    ``icmp-id``...). ``status`` has bits of which all must be set. ``translated`` has ``src``,
    ``dst`` or ``any``, with the address that is translated to, if any.
    """

    family: int | None = None
    protocol: int | None = None
    addresses: dict[str, Net] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    mark: Masked | None = None
    status: int = 0
    state: str | None = None
    zones: tuple[int | None, int | None] = (None, None)
    translated: dict[str, bytes | None] = field(default_factory=dict)

    def fits(self, entry: Entry) -> bool:
        """Whether a connection is meant."""
        original, reply = parts_of(entry.key), parts_of(entry.reply_key)
        return (
            self.family in (None, entry.family)
            and self.protocol in (None, entry.protocol)
            and self._fits_addresses(original, reply)
            and self._fits_numbers(original, reply)
            and (self.mark is None or entry.mark & self.mark.mask == self.mark.value)
            and entry.status & self.status == self.status
            and (self.state is None or (entry.protocol == TCP and tcp_state(entry) == self.state))
            and self.zones[0] in (None, zone_of(entry.key))
            and self.zones[1] in (None, zone_of(entry.reply_key))
            and self._fits_translation(original, reply)
        )

    def _fits_addresses(self, original: KeyParts, reply: KeyParts) -> bool:
        ends = {
            "orig-src": original.source,
            "orig-dst": original.target,
            "reply-src": reply.source,
            "reply-dst": reply.target,
        }
        for option, net in self.addresses.items():
            address = ends[option]
            if len(address) != len(net.mask) or masked(address, net.mask) != net.address:
                return False
        return True

    def _fits_numbers(self, original: KeyParts, reply: KeyParts) -> bool:
        found = {
            "orig-port-src": original.source_part,
            "orig-port-dst": original.target_part,
            "reply-port-src": reply.source_part,
            "reply-port-dst": reply.target_part,
        }
        if original.protocol in (ICMP, ICMPV6):
            found = {
                "icmp-type": original.source_part >> 8,
                "icmp-code": 0,
                "icmp-id": original.ident,
            }
        return all(found.get(option) == number for option, number in self.numbers.items())

    def _fits_translation(self, original: KeyParts, reply: KeyParts) -> bool:
        ports = original.protocol in WITH_PORTS
        # Of ICMP the tool compares what are no ports, and finds that they differ.
        source = target = original.protocol == ICMP
        source |= reply.target != original.source
        source |= ports and reply.target_part != original.source_part
        target |= reply.source != original.target
        target |= ports and reply.source_part != original.target_part
        to = {"src": (source, reply.target), "dst": (target, reply.source)}
        for kind, address in self.translated.items():
            ways = to.values() if kind == "any" else [to[kind]]
            if not any(is_so and address in (None, end) for is_so, end in ways):
                return False
        return True
