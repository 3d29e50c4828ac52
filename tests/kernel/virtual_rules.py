"""Rules, connections and programs of a namespace in vnet."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kernel.play import Look, Seen, Send
from tests.kernel.setup import Lab
from tests.kernel.shown import connections_shown, rules_shown
from vnet.base.ids import ip_from_text
from vnet.linux.netfilter.conntrack_tool.tool import ConntrackTool
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.udp import UdpSocket


def restore(namespace: Namespace, lab: Lab) -> None:
    """Give a machine its rules."""
    if lab.rules:
        namespace.make_netfilter().rules4.restore(lab.rules)
    if lab.rules6:
        namespace.make_netfilter().rules6.restore(lab.rules6)


def look(namespace: Namespace, lab: Lab, look: Look) -> Iterator[Seen]:
    """Its rules and connections."""
    netfilter = namespace.make_netfilter()
    tool = ConntrackTool(netfilter.conntrack, namespace.scheduler.now_ns)
    for family, rules, wanted in (
        ("ipv4", netfilter.rules4, lab.rules),
        ("ipv6", netfilter.rules6, lab.rules6),
    ):
        if wanted:
            if not look.timeouts:
                yield from rules_shown(rules.save(counters=True))
            listed = tool.run(["-L", "-f", family]).out
            yield from connections_shown(listed, timeouts=look.timeouts)


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
