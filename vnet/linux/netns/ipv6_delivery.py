"""What happens to an IPv6 packet that is for this machine: header by header, up to its protocol.

Options, routing headers and fragments are dealt with in the order in which they stand. What is
wrong with them is told as the kernel tells it: pointing at the byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vnet.base.drops import DropReason
from vnet.base.ids import is_multicast_ip
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netns import drops
from vnet.linux.netns.reassembly import Reassembler
from vnet.sim.frame import Frame
from vnet.wire import icmpv6, ipv6, tcp, udp
from vnet.wire.ipv6_options import Refusal, fault_in

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_FIRST_NEXT_HEADER = 6
_PAYLOAD_LENGTH = 4
"""Where the fixed header tells the first header's protocol, and the payload's length."""

_LARGEST_PAYLOAD = 0xFFFF

_LEAST_BYTES = {tcp.PROTOCOL: 20, udp.PROTOCOL: 8, icmpv6.PROTOCOL: 8}
"""What a first fragment must have of these headers; of others, one byte."""

_DROPPED_ROUTING = (3, 4)
"""RPL and segment routing, which are off unless somebody switches them on."""


class Arrived(NamedTuple):
    """A packet on its way up: ``at`` is where its next header begins, ``named_at`` the byte that
    says that this is a ``protocol``. ``fragment`` is the last fragment header that was passed,
    ``shown`` the packet as netfilter knows it."""

    interface: Interface
    frame: Frame
    packet: bytes
    header: ipv6.Ipv6
    protocol: int
    at: int
    named_at: int
    fragment: ipv6.FragmentHeader | None
    shown: NfPacket | None = None

    @property
    def is_for_one(self) -> bool:
        """Whether neither the frame nor the packet was meant for many."""
        return not self.frame.data[0] & 1 and not is_multicast_ip(self.header.target)

    def header_bytes(self) -> int | None:
        """How long the next header is, in units of eight as it tells; None where it is cut off."""
        at = self.at
        if at + 8 > len(self.packet):
            return None
        size = self.packet[at + 1] * 8 + 8
        return size if at + size <= len(self.packet) else None

    def changed(self, shown: NfPacket) -> Arrived:
        """The packet as netfilter has left it; hop-by-hop options were dealt with before."""
        header = ipv6.parse(shown.data, verify=False)
        assert header is not None
        again = Arrived(
            self.interface,
            self.frame,
            shown.data,
            header,
            header.next_header,
            ipv6.HEADER_BYTES,
            _FIRST_NEXT_HEADER,
            None,
            shown,
        )
        size = again.header_bytes() if header.next_header == ipv6.HOP_BY_HOP else None
        return again if size is None else again.past(size)

    def past(self, size: int) -> Arrived:
        """The packet with its next header behind it."""
        return self._replace(protocol=self.packet[self.at], named_at=self.at, at=self.at + size)


class Problem(NamedTuple):
    """What is wrong with a header. With ``code`` its sender is told, and where: at ``pointer``."""

    reason: DropReason
    code: int | None = None
    pointer: int = 0


class Delivery6:
    """A namespace's way up from IPv6 to its protocols."""

    __slots__ = ("_by_header", "_namespace", "_reassembler")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._reassembler = Reassembler(
            namespace, lambda: namespace.sysctls.ipv6.ip6frag_time, self._timed_out
        )
        self._by_header: dict[int, Callable[[Arrived], Arrived | None]] = {
            ipv6.DESTINATION_OPTIONS: self._destination_options,
            ipv6.ROUTING: self._routing,
            ipv6.FRAGMENT: self._fragment,
        }

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._reassembler.held_bytes

    def arrive(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv6.Ipv6
    ) -> Arrived | None:
        """A packet came in, for us or not: the hop-by-hop options are everybody's to look at."""
        arrived = Arrived(
            interface,
            frame,
            packet,
            header,
            header.next_header,
            ipv6.HEADER_BYTES,
            _FIRST_NEXT_HEADER,
            None,
        )
        if header.next_header == ipv6.HOP_BY_HOP:
            return self._options(arrived, hop_by_hop=True)
        return arrived

    def deliver(self, arrived: Arrived) -> None:
        """Take a packet of ours up to its protocol."""
        if arrived.shown is not None:
            if not arrived.shown.meets(Hook.INPUT):
                return
            if arrived.shown.data is not arrived.packet:
                arrived = arrived.changed(arrived.shown)
        found: Arrived | None = arrived
        while found is not None and (pass_by := self._by_header.get(found.protocol)) is not None:
            arrived = found
            found = pass_by(arrived)
        if found is not None:
            self._hand_up(found)

    def _hand_up(self, arrived: Arrived) -> None:
        interface, frame, packet, header, protocol, at, named_at, fragment, shown = arrived
        if protocol == ipv6.NO_NEXT_HEADER:
            return interface.device.drop(frame, drops.NO_PROTOCOL)
        if protocol == icmpv6.PROTOCOL:
            return self._namespace.icmpv6.receive(
                interface, frame, header, packet[at:], fragmented=fragment is not None
            )
        named = named_at - ipv6.HEADER_BYTES if named_at != _FIRST_NEXT_HEADER else -1
        upper = ipv6.Upper(protocol, packet[at:], at - ipv6.HEADER_BYTES, named, None)
        return self._namespace.sockets.receive6(interface, frame, packet, header, upper, shown)

    def _past(self, arrived: Arrived, problem: Problem | None, size: int) -> Arrived | None:
        """The packet behind its next header, unless that has a problem: then it is dropped, and
        its sender told what is wrong with it, and where."""
        if problem is None:
            return arrived.past(size)
        arrived.interface.device.drop(arrived.frame, problem.reason)
        if problem.code is not None:
            self._namespace.icmpv6.send_error(
                arrived.packet,
                icmpv6.PARAMETER_PROBLEM,
                problem.code,
                arrived.frame.meta,
                arrived.interface,
                rest=problem.pointer.to_bytes(4, "big"),
                to_many=bool(arrived.frame.data[0] & 1),
                about=arrived.shown,
            )
        return None

    def _destination_options(self, arrived: Arrived) -> Arrived | None:
        return self._options(arrived, hop_by_hop=False)

    def _options(self, arrived: Arrived, *, hop_by_hop: bool) -> Arrived | None:
        size = arrived.header_bytes()
        if size is None:
            return self._past(arrived, Problem(drops.IP_MALFORMED), 0)
        return self._past(arrived, _problem_of_options(arrived, size, hop_by_hop), size)

    def _routing(self, arrived: Arrived) -> Arrived | None:
        size = arrived.header_bytes()
        if size is None:
            return self._past(arrived, Problem(drops.IP_MALFORMED), 0)
        return self._past(arrived, _problem_of_routing(arrived), size)

    def _fragment(self, arrived: Arrived) -> Arrived | None:
        problem = _problem_of_fragment(arrived)
        if problem is not None:
            return self._past(arrived, problem, 0)
        piece = ipv6.parse_fragment(arrived.packet, arrived.at)
        if piece.offset_bytes == 0 and not piece.more:
            # All of a packet, in one piece (RFC 6946).
            return arrived.past(8)._replace(fragment=piece)
        return self._reassemble(arrived, piece)

    def _reassemble(self, arrived: Arrived, piece: ipv6.FragmentHeader) -> Arrived | None:
        header, at = arrived.header, arrived.at
        done = self._reassembler.add(
            arrived.interface,
            arrived.frame,
            (header.source, header.target, 0, piece.ident),
            piece.offset_bytes,
            piece.more,
            arrived.packet[at + 8 :],
            arrived.packet,
            at - ipv6.HEADER_BYTES,
        )
        if done is None:
            return None
        whole = ipv6.unfragmented(done.first, done.payload)
        rebuilt = ipv6.parse(whole.packet)
        assert rebuilt is not None
        return arrived._replace(
            packet=whole.packet,
            header=rebuilt,
            protocol=whole.packet[whole.named_at],
            at=whole.at,
            named_at=whole.named_at,
            fragment=piece,
        )

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        self._namespace.icmpv6.send_error(
            first, icmpv6.TIME_EXCEEDED, icmpv6.REASSEMBLY_TIMEOUT, received_by=interface
        )


def _problem_of_options(arrived: Arrived, size: int, hop_by_hop: bool) -> Problem | None:
    at = arrived.at
    fault = fault_in(
        arrived.packet[at : at + size],
        hop_by_hop=hop_by_hop,
        payload_bytes=len(arrived.header.payload),
    )
    if fault is None:
        return None
    to_group = is_multicast_ip(arrived.header.target)
    if fault.refusal is Refusal.DISCARD or (fault.refusal is Refusal.OPTION_TO_ONE and to_group):
        return Problem(drops.BAD_OPTION)
    is_field = fault.refusal is Refusal.FIELD
    code = icmpv6.ERRONEOUS_FIELD if is_field else icmpv6.UNKNOWN_OPTION
    return Problem(drops.BAD_OPTION, code, at + fault.at)


def _problem_of_routing(arrived: Arrived) -> Problem | None:
    kind, left = arrived.packet[arrived.at + 2], arrived.packet[arrived.at + 3]
    if kind in _DROPPED_ROUTING or not arrived.is_for_one:
        return Problem(drops.ROUTING_HEADER)
    if left == 0:
        return None
    return Problem(drops.ROUTING_HEADER, icmpv6.ERRONEOUS_FIELD, arrived.at + 2)


def _problem_of_fragment(arrived: Arrived) -> Problem | None:
    packet, at = arrived.packet, arrived.at
    if arrived.fragment is not None or at + 8 > len(packet):
        # One such header is enough for a packet (RFC 8200 section 4.5).
        return Problem(drops.FRAGMENT_MALFORMED, icmpv6.ERRONEOUS_FIELD, at)
    piece, length = ipv6.parse_fragment(packet, at), len(packet) - at - 8
    if piece.offset_bytes == 0 and not piece.more:
        return None
    if piece.offset_bytes == 0 and _is_cut_short(packet, at):
        return Problem(drops.FRAGMENT_INCOMPLETE, icmpv6.INCOMPLETE_HEADERS, 0)
    if piece.offset_bytes + length > _LARGEST_PAYLOAD:
        return Problem(drops.FRAGMENT_MALFORMED, icmpv6.ERRONEOUS_FIELD, at + 2)
    if piece.more and length % 8:
        return Problem(drops.FRAGMENT_MALFORMED, icmpv6.ERRONEOUS_FIELD, _PAYLOAD_LENGTH)
    return None


def _is_cut_short(packet: bytes, at: int) -> bool:
    """Whether a first fragment ends before its transport header does (RFC 7112)."""
    reached = ipv6.skip_headers(ipv6.FRAGMENT, packet, at)
    if reached is None:
        return False
    return reached.at + _LEAST_BYTES.get(reached.protocol, 1) > len(packet)
