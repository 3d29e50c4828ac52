"""ICMPv6: the switch of messages, echo, and errors (net/ipv6/icmp.c; RFC 4443)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, is_link_local_ip6, is_multicast_ip
from vnet.linux.netns import drops
from vnet.linux.netns.peers import Peers
from vnet.sim.frame import Frame, Meta
from vnet.wire import icmpv6, ipv6, mld
from vnet.wire.ipv6_options import MLD_ALERT, router_alert_of

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.icmpv6_socket import OnMessage
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_FIRST_INFORMATIONAL = 128
_NS_PER_MS = 1_000_000
_ROUTERS_SHARE_BELOW = 127
"""Prefixes from here on have no subnet-router address (RFC 6164)."""

_ND_TYPES = frozenset(range(icmpv6.ROUTER_SOLICITATION, icmpv6.REDIRECT + 1))


@lru_cache(maxsize=64)
def types_in(mask: str) -> frozenset[int]:
    """The types that a mask like ``0-1,3-127`` names."""
    spans = [span.partition("-") for span in mask.split(",") if span]
    return frozenset(
        kind for first, _, last in spans for kind in range(int(first), int(last or first) + 1)
    )


class Icmp6:
    """A namespace's ICMPv6."""

    __slots__ = ("_limit", "_namespace", "listeners")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.listeners: dict[int, list[OnMessage]] = {}
        """Who hears messages by raw sockets, by type."""
        self._limit = Peers()

    def receive(
        self,
        interface: Interface,
        frame: Frame,
        header: ipv6.Ipv6,
        segment: bytes,
        *,
        fragmented: bool = False,
    ) -> None:
        """A message for us; ``fragmented`` says that it came with a fragment header."""
        message = icmpv6.parse(header.source, header.target, segment)
        if message is None:
            return interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
        if fragmented and message.type in _ND_TYPES and interface.conf6.suppress_frag_ndisc:
            # Discovery never needs more than one frame (RFC 6980).
            return interface.device.drop(frame, drops.ND_INVALID)
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
            # RFC 3810 section 6.2: it comes from a neighbour, crossed no router, and says so.
            alert = router_alert_of(header) == MLD_ALERT
            if header.hop_limit != 1 or not is_link_local_ip6(header.source) or not alert:
                interface.device.drop(frame, drops.MLD_INVALID)
            elif not interface.mld.query(message.body):
                interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
            return None
        if message.type == icmpv6.MLD_REPORT:
            return self._report_heard(interface, frame, header, message)
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

    @staticmethod
    def _report_heard(
        interface: Interface, frame: Frame, header: ipv6.Ipv6, message: icmpv6.Icmpv6
    ) -> None:
        group = mld.parse_report_v1(message.body)
        if header.source != IPV6_ANY and not is_link_local_ip6(header.source):
            return interface.device.drop(frame, drops.MLD_INVALID)
        if group is None or not frame.data[0] & 1 or not interface.mld.is_member(group):
            return interface.device.drop(frame, drops.NOT_WANTED)
        return interface.mld.report_heard(group)

    def _echo(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, request: icmpv6.Icmpv6
    ) -> None:
        settings, target = self._namespace.sysctls.icmp6, header.target
        to_group, shared = is_multicast_ip(target), self._namespace.ipv6.is_anycast(target)
        if (
            settings.echo_ignore_all
            or (to_group and settings.echo_ignore_multicast)
            or (shared and settings.echo_ignore_anycast)
        ):
            return interface.device.drop(frame, drops.NOT_WANTED)
        source: bytes | None = target
        if to_group or (shared and not self._namespace.sysctls.ipv6.anycast_src_echo_reply):
            source = interface.source_for(header.source)
        if source is None:
            return interface.device.drop(frame, drops.SOURCE_UNUSABLE)
        reply = icmpv6.Icmpv6(icmpv6.ECHO_REPLY, request.code, request.body)
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
        to_many: bool = False,
        about: NfPacket | None = None,
    ) -> None:
        """Tell the sender of ``packet`` what happened to it, if one may (RFC 4443 section 2.4).

        ``to_many`` says that its frame was sent to a group; ``about`` is the packet as netfilter
        knows it, to whose connection the error belongs.
        """
        header = ipv6.parse(packet, verify=False)
        if header is None or not self._may_answer(header, kind, code, rest, to_many):
            return
        target = header.source
        # What we say to ourselves has no limit, wherever the error then goes.
        is_limited = received_by is not self._namespace.loopback
        is_limited = is_limited and not self._namespace.owns(target)
        if is_limited and not self._is_within_limit(kind, target):
            return
        source = self._source_for(header, received_by, to_many)
        if source is None or self._is_shared(target):
            return
        quoted = packet[: ipv6.MIN_MTU - ipv6.HEADER_BYTES - 8]
        out = received_by if is_link_local_ip6(target) else None
        error = icmpv6.Icmpv6(kind, code, rest + quoted)
        self._send(source, target, error, meta, out, about=about)

    def _is_shared(self, target: bytes) -> bool:
        """Whether ``target`` is the routers' address of a network here, which asks nobody."""
        if is_link_local_ip6(target):
            return not any(target[8:])
        found = self._namespace.route_to(target)
        return (
            found is not None
            and found.gateway is None
            and found.route.prefix_length < _ROUTERS_SHARE_BELOW
            and found.route.network == target
        )

    def _is_within_limit(self, kind: int, target: bytes) -> bool:
        """net.ipv6.icmp: how often a type may be sent to one destination."""
        settings = self._namespace.sysctls.icmp6
        if kind not in types_in(settings.ratemask):
            return True
        return self.allow(target, settings.ratelimit * _NS_PER_MS)

    def allow(self, target: bytes, interval_ns: int) -> bool:
        """Whether a message may go to ``target``; errors and redirects share its tokens."""
        return self._limit.allow(target, self._namespace.scheduler.now_ns, interval_ns)

    @staticmethod
    def _may_answer(header: ipv6.Ipv6, kind: int, code: int, rest: bytes, to_many: bool) -> bool:
        if header.source == IPV6_ANY or is_multicast_ip(header.source):
            return False
        if (to_many or is_multicast_ip(header.target)) and kind != icmpv6.PACKET_TOO_BIG:
            # Unknown options may ask for a report all the same (section 2.4 e.3).
            at = int.from_bytes(rest, "big") - ipv6.HEADER_BYTES
            asked = kind == icmpv6.PARAMETER_PROBLEM and code == icmpv6.UNKNOWN_OPTION
            if not asked or header.payload[at] & 0xC0 != 0x80:
                return False
        reached = ipv6.skip_headers(header.next_header, header.payload)
        if reached is None or reached.protocol != icmpv6.PROTOCOL:
            return True
        inner = header.payload[reached.at : reached.at + 1]
        return inner[0] >= _FIRST_INFORMATIONAL if inner else reached.offset_more != 0

    def _source_for(
        self, header: ipv6.Ipv6, received_by: Interface | None, to_many: bool
    ) -> bytes | None:
        """The address the packet was for, if it is ours; else one that faces who sent it."""
        if received_by is None:
            return header.source if self._namespace.owns(header.source) else self._by_route(header)
        target = header.target
        if to_many:
            return received_by.source_for(header.source)
        ours = received_by.find(target) if is_link_local_ip6(target) else None
        shared = self._namespace.ipv6.is_anycast(target)
        if shared and self._namespace.sysctls.icmp6.error_anycast_as_unicast:
            return received_by.source_for(header.source)
        if ours is not None or shared or self._owns_global(target):
            return target
        return received_by.source_for(header.source)

    def _owns_global(self, target: bytes) -> bool:
        return not is_link_local_ip6(target) and self._namespace.owns(target)

    def _by_route(self, header: ipv6.Ipv6) -> bytes | None:
        route = self._namespace.route_to(header.source)
        if route is None:
            return None
        return route.source_for(header.source)

    def _send(
        self,
        source: bytes,
        target: bytes,
        message: icmpv6.Icmpv6,
        meta: Meta | None,
        out: Interface | None,
        traffic_class: int = 0,
        about: NfPacket | None = None,
    ) -> None:
        packet = ipv6.emit(
            source,
            target,
            icmpv6.PROTOCOL,
            icmpv6.emit(source, target, message),
            hop_limit=self._namespace.ipv6.hop_limit_to(target, out),
            traffic_class=traffic_class,
        )
        self._namespace.ipv6.send(packet, meta, out=out, about=about)
