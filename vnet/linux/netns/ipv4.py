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
from vnet.linux.netfilter.hooks import FORWARDED, Hook
from vnet.linux.netns import drops, ip_options
from vnet.linux.netns.ip_options import Received
from vnet.linux.netns.ipv4_fragments import Fragments4
from vnet.linux.netns.ipv4_output import Ipv4Output
from vnet.linux.netns.option_values import MachineValues
from vnet.linux.netns.redirects import Redirects
from vnet.linux.netns.routing.arrival import Arrival, Arrivals, Fate, log_martian
from vnet.linux.netns.routing.road import Road
from vnet.linux.netns.way import Way
from vnet.sim.frame import Frame
from vnet.wire import icmp, ipv4
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class Ipv4Stack(Ipv4Output):
    """A namespace's IPv4."""

    __slots__ = ("_fragments", "arrivals", "redirects")

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace)
        self.redirects = Redirects(namespace)
        self.arrivals = Arrivals(namespace)
        self._fragments = Fragments4(namespace)

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._fragments.held_bytes

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
        shown, mark, is_diverted = None, 0, False
        netfilter = self._namespace.netfilter
        if netfilter is not None and 4 in netfilter.families:
            shown = netfilter.entered(interface.device, frame, packet, 4)
            if shown is None:
                return None
            if shown.data is not packet:
                target, packet = header.target, shown.data
                header = _reread(packet)
                is_diverted = interface is self._namespace.loopback and header.target != target
            mark = shown.mark
        decide = self.arrivals.of_diverted if is_diverted else self.arrivals.of
        arrival = decide(interface, header, mark)
        if header.options and not arrival.is_martian:
            return self._receive_with_options(interface, frame, packet, header, arrival, shown)
        return self._carry_out(interface, frame, packet, header, arrival, None, shown)

    def _carry_out(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
        options: Received | None,
        shown: NfPacket | None,
    ) -> None:
        if arrival.fate is Fate.REFUSED:
            return self._refuse(interface, frame, packet, header, arrival, shown)
        if arrival.fate is Fate.FORWARD:
            return self._forward(interface, frame, packet, header, arrival, options, shown)
        if frame.data[0] & 1 and arrival.fate is Fate.OURS and _refuses_in_groups(interface):
            return interface.device.drop(frame, drops.UNICAST_IN_GROUP)
        return self._deliver(interface, frame, packet, header, shown)

    def _refuse(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
        shown: NfPacket | None,
    ) -> None:
        interface.device.drop(frame, arrival.reason)
        log_martian(interface, arrival, header.source, header.target, frame)
        if arrival.code is not None and self._namespace.icmp.may_refuse(header.source):
            self._namespace.icmp.send_error(
                packet,
                icmp.UNREACHABLE,
                arrival.code,
                frame.meta,
                interface,
                to_us=_to_us(frame),
                about=shown,
            )

    def _receive_with_options(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
        shown: NfPacket | None,
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
                about=shown,
            )
        if options.is_source_routed and not interface.conf4.accept_source_route:
            return device.drop(frame, drops.SOURCE_ROUTED)
        header = header._replace(options=options.options)
        return self._carry_out(interface, frame, packet, header, arrival, options, shown)

    # -- delivery

    def _deliver(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        shown: NfPacket | None,
    ) -> None:
        if header.is_fragment:
            whole = self._fragments.reassemble(interface, frame, packet, header)
            if whole is None:
                return None
            packet, header = whole, _reread(whole)
        if shown is not None:
            shown.data = packet
            if not shown.meets(Hook.INPUT):
                return None
            packet, header = shown.data, _reread(shown.data)
        if header.protocol == icmp.PROTOCOL:
            return self._namespace.icmp.receive(interface, frame, header)
        if header.protocol == ipv4.IGMP:
            return interface.igmp.receive(frame, header)
        return self._namespace.sockets.receive4(interface, frame, packet, header, shown)

    # -- forwarding

    def _forward(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        arrival: Arrival,
        options: Received | None,
        shown: NfPacket | None,
    ) -> None:
        device, errors = interface.device, self._namespace.icmp
        if frame.data[0] & 1:
            return device.drop(frame, drops.NOT_FORWARDED)
        if header.ttl <= 1:
            device.drop(frame, drops.TTL_EXCEEDED)
            return errors.send_error(
                packet, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, frame.meta, interface, about=shown
            )
        way = arrival.way
        mtu = way.mtu_bytes
        if self._namespace.sysctls.ipv4.ip_forward_use_pmtu:
            mtu = self.paths.limit(header.target, mtu, self._namespace.scheduler.now_ns)
        else:
            self._pave(interface, header, arrival)
        if len(packet) > mtu and _may_not_be_cut(header, shown, mtu):
            device.drop(frame, drops.FRAGMENTATION_NEEDED)
            return errors.send_error(
                packet,
                icmp.UNREACHABLE,
                icmp.FRAGMENTATION_NEEDED,
                frame.meta,
                interface,
                rest=b"\0\0" + mtu.to_bytes(2, "big"),
                about=shown,
            )
        packet = ipv4.decrement_ttl(packet)
        if arrival.redirects:
            self.redirects.send(packet, arrival, interface, frame.meta, shown)
        if shown is not None:
            shown.data, shown.leaves = packet, way.out.device
            if not shown.meets(Hook.FORWARD):
                return None
            packet = shown.data
        if options is not None:
            source = way.source_for(header.target) or IPV4_ANY
            packet = ipv4.with_options(packet, options.leaving(source))
        self._output(way.out, packet, way.gateway or header.target, frame.meta, mtu, shown)
        if shown is not None and shown.trail is not None:
            self._pave_tracked(interface, arrival, shown, mtu)
        return None

    def _pave_tracked(
        self, interface: Interface, arrival: Arrival, shown: NfPacket, mtu_bytes: int
    ) -> None:
        """The same as :meth:`_pave` where netfilter has looked."""
        out, next_hop = arrival.way.out, shown.next_hop
        if shown.dropped is not None or next_hop is None or len(next_hop) != 4:
            return
        plain = out.arp and not out.is_broadcast(next_hop) and not arrival.redirects
        if self._namespace.sysctls.ipv4.ip_forward_use_pmtu:
            return
        if plain and self._namespace.routing4.targets_decide:
            shown.netfilter.pave(interface, shown, Way(out, next_hop, mtu_bytes))

    def _pave(self, interface: Interface, header: ipv4.Ipv4, arrival: Arrival) -> None:
        """Let the flow's next packets take the short way, where nothing else decides about them."""
        way = arrival.way
        next_hop = way.gateway or header.target
        plain = len(next_hop) == 4 and way.out.arp and not way.out.is_broadcast(next_hop)
        netfilter = self._namespace.netfilter
        if netfilter is not None and netfilter.watches(4, *FORWARDED):
            return
        if plain and not arrival.redirects and self._namespace.routing4.targets_decide:
            interface.roads[header.source + header.target] = Road(way.out, next_hop, way.mtu_bytes)


def _may_not_be_cut(header: ipv4.Ipv4, shown: NfPacket | None, mtu_bytes: int) -> bool:
    """Whether a packet that is too large is too large to be sent on: what came in pieces is not,
    unless those are."""
    if shown is None or shown.pieces is None:
        return header.dont_fragment
    return shown.pieces.are_uncuttable and shown.pieces.most_bytes > mtu_bytes


def _refuses_in_groups(interface: Interface) -> bool:
    return bool(interface.conf4.drop_unicast_in_l2_multicast)


def _to_us(frame: Frame) -> bool:
    """Whether a frame was for this machine alone: what was for everybody gets no error."""
    return not frame.data[0] & 1


def _reread(packet: bytes) -> ipv4.Ipv4:
    """The header of a packet that was put together or changed here."""
    header = ipv4.parse(packet, verify=False)
    assert header is not None
    return header
