"""ICMP: echo, errors out, errors in (net/ipv4/icmp.c; RFC 792, RFC 1122 section 3.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY, IPV4_BROADCAST, is_multicast_ip
from vnet.linux.netns import drops, ip_options
from vnet.linux.netns.icmp_budget import Icmp4Budget
from vnet.linux.netns.option_values import MachineValues
from vnet.linux.netns.peers import ERROR_BURST_NS, ERROR_COST_NS, Peers
from vnet.sim.frame import Frame, Meta
from vnet.wire import icmp, ipv4

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_ERROR_PRECEDENCE = 0xC0
"""Internetwork control, as Linux marks its errors (RFC 1812 section 4.3.2.5)."""
_TOS_BITS = 0x1E
"""What of the packet's own type of service goes with it (RFC 1349)."""

_UNANSWERED = icmp.ERRORS | {1, 2, 6, 7, 9, 10}
"""Types that Linux takes for errors; router discovery (RFC 1256) is among them."""
_UNKNOWN_TYPE = 19
"""Types from here on may be errors for all that Linux knows, and get none."""

_TIME_BYTES = 4

_MAX_ERROR_BYTES = 576
"""RFC 1812 section 4.3.2.3: as much of the packet as fits, without exceeding this."""


class Icmp4:
    """A namespace's ICMP."""

    __slots__ = ("_budget", "_namespace", "peers")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.peers = Peers()
        self._budget = Icmp4Budget(namespace)

    def receive(self, interface: Interface, frame: Frame, header: ipv4.Ipv4) -> None:
        """A message for us; ``header`` is that of the whole, reassembled packet."""
        message = icmp.parse(header.payload)
        if message is None:
            return interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
        if message.type in (icmp.ECHO_REQUEST, icmp.TIMESTAMP_REQUEST):
            return self._answer(interface, frame, header, message)
        sockets = self._namespace.sockets
        if message.type == icmp.REDIRECT and len(message.payload) >= ipv4.HEADER_BYTES:
            sockets.redirected4(header.source, message)
            if not self._namespace.ipv4.redirects.receive(interface, header.source, message):
                interface.device.drop(frame, drops.REDIRECT_REFUSED)
            return None
        if message.type in icmp.ERRORS:
            if not sockets.icmp_error4(header.source, message, header.ttl):
                interface.device.drop(frame, drops.NOT_WANTED)
            return None
        if message.type != icmp.ECHO_REPLY or not sockets.echo_reply(
            header.source, message.ident, message.sequence, message.payload, header.ttl
        ):
            interface.device.drop(frame, drops.NOT_WANTED)
        return None

    def _answer(
        self, interface: Interface, frame: Frame, header: ipv4.Ipv4, request: icmp.Icmp
    ) -> None:
        """Send back what was asked: an echo, or the time of day."""
        knobs = self._namespace.sysctls.ipv4
        to_all = not self._namespace.owns(header.target)
        if knobs.icmp_echo_ignore_all or (to_all and knobs.icmp_echo_ignore_broadcasts):
            return interface.device.drop(frame, drops.NOT_WANTED)
        source = self._facing(header.source, interface) if to_all else header.target
        if source is None:
            return interface.device.drop(frame, drops.SOURCE_UNUSABLE)
        if request.type == icmp.TIMESTAMP_REQUEST:
            now = MachineValues(self._namespace, header, interface).clock_ms().to_bytes(4, "big")
            times = request.payload[:_TIME_BYTES] + now + now
            answer = icmp.Icmp(icmp.TIMESTAMP_REPLY, 0, request.rest, times)
        else:
            answer = icmp.Icmp(icmp.ECHO_REPLY, request.code, request.rest, request.payload)
        reply = icmp.emit(answer)
        options = self._echoed(header, source)
        if options is None:
            return interface.device.drop(frame, drops.OPTION_MALFORMED)
        return self._send(source, header.source, reply, header.tos, frame.meta, options)

    def send_error(
        self,
        packet: bytes,
        kind: int,
        code: int,
        meta: Meta | None = None,
        received_by: Interface | None = None,
        *,
        rest: bytes = bytes(4),
        options: bytes | None = None,
        to_us: bool = True,
        about: NfPacket | None = None,
    ) -> None:
        """Tell the sender of ``packet`` what happened to it, if one may be told.

        No error answers an error, a later fragment, or what was sent to or from more than
        one host, be it by its MAC (``to_us`` False). ``received_by`` None means that it got stuck
        on its way out: our own, or one that we forward. ``options`` are those that the error takes
        up; None: the packet's. ``about`` is the packet as netfilter knows it, which takes the error
        for its connection's.
        """
        header = ipv4.parse(packet, verify=False)
        if header is None or not to_us or not self._may_answer(header, received_by):
            return
        target = header.source
        # What we say to ourselves has no limit, wherever the error then goes.
        is_limited = received_by is not self._namespace.loopback
        if is_limited and not self._budget.allows(kind, code, target, self.peers):
            return
        source = self._source_for(header, received_by, about)
        if source is None:
            return
        if options is not None:
            header = header._replace(options=options)
        echoed = self._echoed(header, source)
        if echoed is None:
            return
        room = _MAX_ERROR_BYTES - ipv4.HEADER_BYTES - len(echoed) - icmp.HEADER_BYTES
        message = icmp.emit(icmp.Icmp(kind, code, rest, packet[:room]))
        tos = header.tos & _TOS_BITS | _ERROR_PRECEDENCE
        self._send(source, target, message, tos, meta, echoed, about)

    def may_refuse(self, source: bytes) -> bool:
        """Whether a packet that no route leads on for is worth an error (ip_error()).

        That takes a token of its own, besides the one that the error takes.
        """
        now_ns = self._namespace.scheduler.now_ns
        return self.peers.of(source, now_ns).take(ERROR_COST_NS, ERROR_BURST_NS, now_ns)

    def _echoed(self, header: ipv4.Ipv4, source: bytes) -> bytes | None:
        """The options of an answer to a packet; None if no answer can be given."""
        if not header.options:
            return b""
        values = MachineValues(self._namespace, header, None)
        return ip_options.echoed(header.options, source, values)

    def _may_answer(self, header: ipv4.Ipv4, received_by: Interface | None) -> bool:
        if header.offset_bytes or header.source == IPV4_ANY or is_multicast_ip(header.source):
            return False
        if is_multicast_ip(header.target) or header.target == IPV4_BROADCAST:
            return False
        interfaces = self._namespace.interfaces.values()
        if received_by and any(interface.is_broadcast(header.target) for interface in interfaces):
            return False
        if header.protocol != icmp.PROTOCOL:
            return True
        kind = header.payload[0] if header.payload else _UNKNOWN_TYPE
        return kind < _UNKNOWN_TYPE and kind not in _UNANSWERED

    def _source_for(
        self, header: ipv4.Ipv4, received_by: Interface | None, about: NfPacket | None
    ) -> bytes | None:
        """Where the packet was for us, from the address it was sent to; else by the route."""
        if received_by is None and self._namespace.owns(header.source):
            # Our own packet: the error goes back to where it came from.
            return header.source
        # What only passes a bridge is for nobody here, whatever its address.
        is_bridged = about is not None and about.bridge_leaves is not None
        if self._namespace.owns(header.target) and not is_bridged:
            return header.target
        if received_by is not None and self._namespace.sysctls.ipv4.icmp_errors_use_inbound_ifaddr:
            return received_by.source_for(header.source)
        return self._facing(header.source, received_by)

    def _facing(self, target: bytes, received_by: Interface | None) -> bytes | None:
        """The address that we would send to ``target`` from."""
        route = self._namespace.route_to(target)
        if route is None:
            return received_by.source_for(target) if received_by else None
        return route.source_for(target)

    def _send(
        self,
        source: bytes,
        target: bytes,
        message: bytes,
        tos: int,
        meta: Meta | None,
        options: bytes,
        about: NfPacket | None = None,
    ) -> None:
        ident = self._namespace.idents.next(source, target, icmp.PROTOCOL)
        ttl = self._namespace.sysctls.ipv4.ip_default_ttl
        packet = ipv4.emit(
            source,
            target,
            icmp.PROTOCOL,
            message,
            ttl=ttl,
            tos=tos,
            ident=ident,
            options=options,
        )
        self._namespace.ipv4.send(packet, meta, about=about)
