"""The NAT tables of a lab: which connections go by other addresses or ports, and which ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from vnet.base.ids import ip_text
from vnet.guest.machine import Machine
from vnet.lab.build import Network
from vnet.tables.conntrack.extract import ICMPV6
from vnet.tables.conntrack.key import KeyParts, parts_of, reverse
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.wire.ipv4 import ICMP, TCP, UDP

_NAMES = {ICMP: "icmp", ICMPV6: "icmpv6", TCP: "tcp", UDP: "udp"}


class NatRow(NamedTuple):
    """A connection that ``machine`` translates: as it comes, and as it goes on.

    The ends are written ``10.0.0.1:80``; that of a ping without a port, which has an identifier.
    """

    machine: str
    protocol: str
    source: str
    target: str
    new_source: str
    new_target: str

    def as_json(self) -> dict[str, Any]:
        """The row in ``run.json``."""
        return self._asdict()


def nat_rows(network: Network) -> list[NatRow]:
    """Every translated connection that lives, by machine and age."""
    return [row for machine in network.machines() for row in _rows_of(machine)]


def _rows_of(machine: Machine) -> Iterator[NatRow]:
    namespace = machine.namespace
    if namespace.netfilter is None:
        return
    for entry in namespace.netfilter.conntrack.entries(namespace.scheduler.now_ns):
        if entry.status & status.NAT:
            yield _row(machine.name, entry)


def _row(machine: str, entry: Entry) -> NatRow:
    before, after = parts_of(entry.key), parts_of(reverse(entry.reply_key))
    protocol = _NAMES.get(entry.protocol, str(entry.protocol))
    return NatRow(machine, protocol, *_ends(before), *_ends(after))


def _ends(parts: KeyParts) -> tuple[str, str]:
    source, target = ip_text(parts.source), ip_text(parts.target)
    if parts.protocol in (ICMP, ICMPV6):
        return f"{source} id {parts.ident}", target
    if parts.protocol in (TCP, UDP):
        return f"{source}:{parts.source_part}", f"{target}:{parts.target_part}"
    return source, target
