"""Rules, connections and programs of a namespace in vnet."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kernel.play import Look, Seen, Send
from tests.kernel.setup import Lab
from tests.kernel.shown import connections_shown, rules_shown
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.udp import UdpSocket
from vnet.tables.conntrack.key import KeyParts, parts_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.wire import icmp, icmpv6, tcp, udp

_NAMES = {
    icmp.PROTOCOL: "icmp",
    tcp.PROTOCOL: "tcp",
    udp.PROTOCOL: "udp",
    icmpv6.PROTOCOL: "icmpv6",
}


def restore(namespace: Namespace, lab: Lab) -> None:
    """Give a machine its rules."""
    if lab.rules:
        namespace.make_netfilter().rules4.restore(lab.rules)
    if lab.rules6:
        namespace.make_netfilter().rules6.restore(lab.rules6)


def look(namespace: Namespace, lab: Lab, look: Look) -> Iterator[Seen]:
    """Its rules and connections."""
    netfilter = namespace.make_netfilter()
    now_ns = namespace.scheduler.now_ns
    for family, rules, wanted in (
        (4, netfilter.rules4, lab.rules),
        (6, netfilter.rules6, lab.rules6),
    ):
        if wanted:
            if not look.timeouts:
                yield from rules_shown(rules.save(counters=True))
            entries = netfilter.conntrack.entries(now_ns)
            lines = [_line(entry, now_ns) for entry in entries if entry.family == family]
            yield from connections_shown("\n".join(lines), timeouts=look.timeouts)


def _line(entry: Entry, now_ns: int) -> str:
    """A line of ``conntrack -L``."""
    words = [_NAMES.get(entry.protocol, "unknown"), str(entry.protocol)]
    words.append(str(entry.timeout_s(now_ns)))
    words += [str(entry.l4)] if entry.protocol == tcp.PROTOCOL else []
    ends = parts_of(entry.key), parts_of(entry.reply_key)
    words += _direction(entry, ends, 0)
    words += [] if entry.status & status.SEEN_REPLY else ["[UNREPLIED]"]
    words += _direction(entry, ends, 1)
    words += ["[ASSURED]"] if entry.status & status.ASSURED else []
    words.append(f"mark={entry.mark}")
    if ends[0].zone == ends[1].zone != 0:
        words.append(f"zone={ends[0].zone}")
    return " ".join(words)


def _direction(entry: Entry, ends: tuple[KeyParts, KeyParts], way: int) -> Iterator[str]:
    parts = ends[way]
    yield f"src={ip_text(parts.source)}"
    yield f"dst={ip_text(parts.target)}"
    if parts.protocol in (tcp.PROTOCOL, udp.PROTOCOL):
        yield f"sport={parts.source_part}"
        yield f"dport={parts.target_part}"
    elif parts.protocol in (icmp.PROTOCOL, icmpv6.PROTOCOL):
        yield f"type={parts.source_part >> 8}"
        yield f"code={parts.target_part & 0xFF}"
        yield f"id={parts.ident}"
    if ends[0].zone != ends[1].zone and parts.zone:
        yield f"zone-{'reply' if way else 'orig'}={parts.zone}"
    if entry.counted is not None:
        yield f"packets={entry.counted[way].packet_count}"
        yield f"bytes={entry.counted[way].byte_count}"


class Programs:
    """The sockets of a namespace's programs."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._sockets: dict[int, UdpSocket] = {}

    def send(self, datagram: Send) -> None:
        """A datagram; what comes of it the program does not care about."""
        if datagram.port not in self._sockets:
            opened = self._namespace.sockets.open_udp(lambda *_: None, datagram.port)
            self._sockets[datagram.port] = opened
        self._sockets[datagram.port].send_to(
            ip_from_text(datagram.target), datagram.target_port, datagram.payload
        )
