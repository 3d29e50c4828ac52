"""Translated connections in words."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import ip_text
from vnet.base.text import with_port
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.tables.conntrack.extract import ICMPV6
from vnet.tables.conntrack.key import KeyParts, parts_of, reverse
from vnet.tables.conntrack.linux import status
from vnet.wire.ipv4 import ICMP, TCP, UDP

_NAMES = {ICMP: "icmp", ICMPV6: "icmpv6", TCP: "tcp", UDP: "udp"}


def translations(netfilter: Netfilter, now_ns: int) -> Iterator[tuple[str, str, str, str, str]]:
    """The protocol of each, and its ends as it comes and as it goes on, the oldest first."""
    for entry in netfilter.conntrack.entries(now_ns):
        if entry.status & status.NAT:
            before, after = parts_of(entry.key), parts_of(reverse(entry.reply_key))
            protocol = _NAMES.get(entry.protocol, str(entry.protocol))
            yield protocol, *_ends(before), *_ends(after)


def _ends(parts: KeyParts) -> tuple[str, str]:
    source, target = ip_text(parts.source), ip_text(parts.target)
    if parts.protocol in (ICMP, ICMPV6):
        return f"{source} id {parts.ident}", target
    if parts.protocol in (TCP, UDP):
        return with_port(source, parts.source_part), with_port(target, parts.target_part)
    return source, target
