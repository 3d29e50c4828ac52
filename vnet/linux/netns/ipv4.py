"""IPv4: input, local delivery and forwarding (net/ipv4 of the kernel).

receive -> arrival (what shall become of it?)
        -> ours      -> deliver -> reassemble -> ICMP, IGMP, UDP, TCP, raw sockets
        -> forward   -> TTL, mtu, redirect -> output
        -> refused   -> a drop, and perhaps an ICMP error

What leaves goes by ``Ipv4Output``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY
from vnet.linux.netns import drops, ip_options
from vnet.linux.netns.ip_options import Received
from vnet.linux.netns.ipv4_output import Ipv4Output
from vnet.linux.netns.option_values import MachineValues
from vnet.linux.netns.reassembly import Reassembler
from vnet.linux.netns.redirects import Redirects
from vnet.linux.netns.routing.arrival import Arrival, Arrivals, Fate, log_martian
from vnet.linux.netns.routing.road import Road
from vnet.sim.frame import Frame
from vnet.wire import icmp, ipv4
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class Ipv4Stack(Ipv4Output):
    """A namespace's IPv4."""

    __slots__ = ("_reassembler", "arrivals", "redirects")

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace)
        self.redirects = Redirects(namespace)
        self.arrivals = Arrivals(namespace)
        self._reassembler = Reassembler(
            namespace, lambda: namespace.sysctls.ipv4.ipfrag_time, self._timed_out
        )

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._reassembler.held_bytes

    # -- input

    def receive(self, interface: Interface, frame: Frame) -> None:
        """An IPv4 frame came in: ip_rcv() and ip_route_input()."""
        road = interface.roads.get(frame.data[26:34])
        if road is not None and road.carry(frame):
            return None
        packet = frame.data[HEADER_BYTES:]
        header = ipv4.parse(packet)
        if header is None:
            return interface.device.drop(frame, drops.IP_MALFORMED)
        packet = packet[: header.total_bytes]
        arrival = self.arrivals.of(interface, header)
        if header.options and not arrival.is_martian:
            return self._receive_with_options(interface, frame, packet, header, arrival)
        return self._carry_out(interface, frame, packet, header, arrival, None)

    def _carry_out(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
        options: Received | None,
    ) -> None:
        if arrival.fate is Fate.REFUSED:
            return self._refuse(interface, frame, packet, header, arrival)
        if arrival.fate is Fate.FORWARD:
            return self._forward(interface, frame, packet, header, arrival, options)
        if frame.data[0] & 1 and arrival.fate is Fate.OURS and _refuses_in_groups(interface):
            return interface.device.drop(frame, drops.UNICAST_IN_GROUP)
        return self._deliver(interface, frame, packet, header)

    def _refuse(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
    ) -> None:
        interface.device.drop(frame, arrival.reason)
        log_martian(interface, arrival, header.source, header.target, frame)
        if arrival.code is not None and self._namespace.icmp.may_refuse(header.source):
            self._namespace.icmp.send_error(
                packet, icmp.UNREACHABLE, arrival.code, frame.meta, interface, to_us=_to_us(frame)
            )

    def _receive_with_options(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
    ) -> None:
        device = interface.device
        options = ip_options.receive(
            header.options, MachineValues(self._namespace, header, interface)
        )
        # What we wrote counts in the checksum only when the packet leaves.
        head_bytes = ipv4.HEADER_BYTES
        packet = packet[:head_bytes] + options.options + packet[head_bytes + len(header.options) :]
        if options.fault_at is not None:
            device.drop(frame, drops.OPTION_MALFORMED)
            return self._namespace.icmp.send_error(
                packet,
                icmp.PARAMETER_PROBLEM,
                0,
                frame.meta,
                interface,
                rest=bytes((options.fault_at, 0, 0, 0)),
                options=options.sound,
                to_us=_to_us(frame),
            )
        if options.is_source_routed and not interface.conf4.accept_source_route:
            return device.drop(frame, drops.SOURCE_ROUTED)
        header = header._replace(options=options.options)
        return self._carry_out(interface, frame, packet, header, arrival, options)

    # -- delivery

    def _deliver(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> None:
        if header.is_fragment:
            whole = self._reassemble(interface, frame, packet, header)
            if whole is None:
                return None
            packet, header = whole
        if header.protocol == icmp.PROTOCOL:
            return self._namespace.icmp.receive(interface, frame, header)
        if header.protocol == ipv4.IGMP:
            return interface.igmp.receive(frame, header)
        return self._namespace.sockets.receive4(interface, frame, packet, header)

    def _reassemble(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> tuple[bytes, ipv4.Ipv4] | None:
        key = (header.source, header.target, header.protocol, header.ident)
        header_bytes = header.total_bytes - len(header.payload)
        done = self._reassembler.add(
            interface,
            frame,
            key,
            header.offset_bytes,
            header.more_fragments,
            header.payload,
            packet,
            header_bytes,
        )
        if done is None:
            return None
        first = ipv4.parse(done.first, verify=False)
        assert first is not None
        whole = ipv4.emit(
            first.source,
            first.target,
            first.protocol,
            done.payload,
            ttl=first.ttl,
            tos=first.tos,
            ident=first.ident,
            flags_offset=_flags_of_whole([frame.data for _, frame in done.bearers]),
            options=first.options,
        )
        rebuilt = ipv4.parse(whole)
        assert rebuilt is not None
        return whole, rebuilt

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        self._namespace.icmp.send_error(
            first, icmp.TIME_EXCEEDED, icmp.REASSEMBLY_TIMEOUT, received_by=interface
        )

    # -- forwarding

    def _forward(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
        options: Received | None,
    ) -> None:
        device, errors = interface.device, self._namespace.icmp
        if frame.data[0] & 1:
            return device.drop(frame, drops.NOT_FORWARDED)
        if header.ttl <= 1:
            device.drop(frame, drops.TTL_EXCEEDED)
            return errors.send_error(
                packet, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, frame.meta, interface
            )
        way = arrival.way
        mtu = way.mtu_bytes
        if self._namespace.sysctls.ipv4.ip_forward_use_pmtu:
            mtu = self.paths.limit(header.target, mtu, self._namespace.scheduler.now_ns)
        else:
            self._pave(interface, header, arrival)
        if len(packet) > mtu and header.dont_fragment:
            device.drop(frame, drops.FRAGMENTATION_NEEDED)
            return errors.send_error(
                packet,
                icmp.UNREACHABLE,
                icmp.FRAGMENTATION_NEEDED,
                frame.meta,
                interface,
                rest=b"\0\0" + mtu.to_bytes(2, "big"),
            )
        packet = ipv4.decrement_ttl(packet)
        if arrival.redirects:
            self.redirects.send(packet, arrival, interface, frame.meta)
        if options is not None:
            source = way.source_for(header.target) or IPV4_ANY
            packet = ipv4.with_options(packet, options.leaving(source))
        return self._output(way.out, packet, way.gateway or header.target, frame.meta, mtu)

    def _pave(self, interface: Interface, header: ipv4.Ipv4, arrival: Arrival) -> None:
        """Let the flow's next packets take the short way, where nothing else decides about them."""
        way = arrival.way
        next_hop = way.gateway or header.target
        plain = len(next_hop) == 4 and way.out.arp and not way.out.is_broadcast(next_hop)
        if plain and not arrival.redirects and self._namespace.routing4.targets_decide:
            interface.roads[header.source + header.target] = Road(way.out, next_hop, way.mtu_bytes)


def _refuses_in_groups(interface: Interface) -> bool:
    return bool(interface.conf4.drop_unicast_in_l2_multicast)


def _to_us(frame: Frame) -> bool:
    """Whether a frame was for this machine alone: what was for everybody gets no error."""
    return not frame.data[0] & 1


def _flags_of_whole(pieces: list[bytes]) -> int:
    """May a packet that came in these frames not be cut again? Its largest piece says so."""
    heads = [frame[HEADER_BYTES : HEADER_BYTES + ipv4.HEADER_BYTES] for frame in pieces]
    most_bytes = max(head[2] << 8 | head[3] for head in heads)
    largest = [head for head in heads if head[2] << 8 | head[3] == most_bytes]
    uncut = any(head[6] << 8 & ipv4.DONT_FRAGMENT for head in largest)
    return ipv4.DONT_FRAGMENT if uncut else 0
