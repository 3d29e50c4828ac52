"""ICMPv6: the switch of messages, echo, and errors (net/ipv6/icmp.c; RFC 4443)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, is_link_local_ip6, is_multicast_ip
from vnet.linux.netns import drops
from vnet.linux.netns.ratelimit import RateLimit
from vnet.sim.frame import Frame, Meta
from vnet.wire import icmpv6, ipv6

if TYPE_CHECKING:
    from vnet.linux.netns.icmpv6_socket import OnMessage
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_ND_TYPES = frozenset(range(icmpv6.ROUTER_SOLICITATION, icmpv6.REDIRECT + 1))


class Icmp6:
    """A namespace's ICMPv6."""

    __slots__ = ("_limit", "_namespace", "listeners")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.listeners: dict[int, list[OnMessage]] = {}
        """Who hears messages by raw sockets, by type."""
        self._limit = RateLimit()

    def receive(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, segment: bytes
    ) -> None:
        """A message for us."""
        message = icmpv6.parse(header.source, header.target, segment)
        if message is None:
            return interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
        self._process(interface, frame, header, message)
        # A daemon wakes up when the kernel has done its part.
        for listener in tuple(self.listeners.get(message.type, ())):
            listener(interface, header, message, frame.meta)
        return None

    def _process(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, message: icmpv6.Icmpv6
    ) -> None:
        if message.type in _ND_TYPES:
            return self._namespace.nd.receive(interface, frame, header, message)
        if message.type == icmpv6.ECHO_REQUEST:
            return self._echo(interface, frame, header, message)
        if message.type == icmpv6.MLD_QUERY:
            # RFC 3810 section 6.2: it comes from a neighbour, and has crossed no router.
            if header.hop_limit != 1 or not is_link_local_ip6(header.source):
                interface.device.drop(frame, drops.MLD_INVALID)
            elif not interface.mld.query(message.body):
                interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
            return None
        sockets = self._namespace.sockets
        if message.is_error:
            wanted = sockets.icmp_error6(header.source, message, header.hop_limit)
        elif message.type == icmpv6.ECHO_REPLY:
            ident = message.body[0] << 8 | message.body[1]
            sequence = message.body[2] << 8 | message.body[3]
            wanted = sockets.echo_reply(
                header.source, ident, sequence, message.body[4:], header.hop_limit
            )
        else:
            wanted = False
        if not wanted:
            interface.device.drop(frame, drops.NOT_WANTED)
        return None

    def _echo(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, request: icmpv6.Icmpv6
    ) -> None:
        source: bytes | None = header.target
        if is_multicast_ip(header.target):
            source = interface.source_for(header.source)
        if source is None or header.source == IPV6_ANY:
            return interface.device.drop(frame, drops.SOURCE_UNUSABLE)
        reply = icmpv6.Icmpv6(icmpv6.ECHO_REPLY, 0, request.body)
        out = interface if is_link_local_ip6(header.source) else None
        return self._send(source, header.source, reply, frame.meta, out, header.traffic_class)

    def send_error(
        self,
        packet: bytes,
        kind: int,
        code: int,
        meta: Meta | None = None,
        received_by: Interface | None = None,
        *,
        rest: bytes = bytes(4),
    ) -> None:
        """Tell the sender of ``packet`` what happened to it, if one may (RFC 4443 section 2.4)."""
        header = ipv6.parse(packet)
        if header is None or not self._may_answer(header, kind, code):
            return
        target = header.source
        now_ns = self._namespace.scheduler.now_ns
        interval_ns = self._namespace.sysctls.icmp6.ratelimit * 1_000_000
        if (
            kind != icmpv6.PACKET_TOO_BIG
            and not self._namespace.owns(target)
            and not self._limit.allow(target, now_ns, interval_ns)
        ):
            return
        source = self._source_for(header, received_by)
        if source is None:
            return
        quoted = packet[: ipv6.MIN_MTU - ipv6.HEADER_BYTES - 8]
        out = received_by if is_link_local_ip6(target) else None
        self._send(source, target, icmpv6.Icmpv6(kind, code, rest + quoted), meta, out)

    @staticmethod
    def _may_answer(header: ipv6.Ipv6, kind: int, code: int) -> bool:
        if header.source == IPV6_ANY or is_multicast_ip(header.source):
            return False
        too_big = kind == icmpv6.PACKET_TOO_BIG or (kind == icmpv6.PARAMETER_PROBLEM and code == 2)
        if is_multicast_ip(header.target) and not too_big:
            return False
        upper = ipv6.upper_layer(header)
        if upper is None or (upper.fragment is not None and upper.fragment.offset_bytes):
            return False
        if upper.protocol != icmpv6.PROTOCOL:
            return True
        return bool(upper.payload) and upper.payload[0] >= 128 and upper.payload[0] != 137

    def _source_for(self, header: ipv6.Ipv6, received_by: Interface | None) -> bytes | None:
        if received_by is None and self._namespace.owns(header.source):
            return header.source
        if self._namespace.owns(header.target):
            return header.target
        if received_by is not None and is_link_local_ip6(header.source):
            return received_by.source_for(header.source)
        route = self._namespace.route_to(header.source)
        if route is None:
            return received_by.source_for(header.source) if received_by else None
        return route.source_for(header.source)

    def _send(
        self,
        source: bytes,
        target: bytes,
        message: icmpv6.Icmpv6,
        meta: Meta | None,
        out: Interface | None,
        traffic_class: int = 0,
    ) -> None:
        packet = ipv6.emit(
            source,
            target,
            icmpv6.PROTOCOL,
            icmpv6.emit(source, target, message),
            hop_limit=self._namespace.ipv6.hop_limit_to(target, out),
            traffic_class=traffic_class,
        )
        self._namespace.ipv6.send(packet, meta, out=out)
