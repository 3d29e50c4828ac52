"""Fragments of IPv4 put together, for delivery and for netfilter (net/ipv4/ip_fragment.c).

What is put together for netfilter and goes on leaves in the pieces in which it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.linux.netfilter.framing import framed
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.pieces import Pieces
from vnet.linux.netfilter.verdict import ACCEPT, STOLEN, Verdict
from vnet.linux.netns.reassembly import Reassembler
from vnet.sim.frame import Frame
from vnet.tables.reasm import Whole
from vnet.wire import icmp, ipv4
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class Fragments4:
    """A namespace's incomplete IPv4 packets. Those for netfilter are kept apart."""

    __slots__ = ("_for_us", "_namespace", "_to_look_at")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._for_us = self._reassembler(self._timed_out)
        self._to_look_at: Reassembler | None = None

    def _reassembler(self, timed_out: Callable[[Interface, bytes], None]) -> Reassembler:
        sysctls = self._namespace.sysctls
        return Reassembler(self._namespace, lambda: sysctls.ipv4.ipfrag_time, timed_out)

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        others = 0 if self._to_look_at is None else self._to_look_at.held_bytes
        return self._for_us.held_bytes + others

    def reassemble(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> bytes | None:
        """A fragment for this machine: the packet, once it is whole."""
        done = self._add(self._for_us, interface, frame, packet, header)
        return None if done is None else _put_together(done)[0]

    def gather(self, packet: NfPacket) -> Verdict:
        """Netfilter sees whole packets alone."""
        header = ipv4.parse(packet.data, verify=False)
        if header is None or not header.is_fragment:
            return ACCEPT
        device = packet.entered or packet.leaves or self._namespace.loopback.device
        if self._to_look_at is None:
            self._to_look_at = self._reassembler(self._passing_timed_out)
        interface = self._namespace.interfaces[device.name]
        frame = packet.frame or framed(device, packet)
        done = self._add(self._to_look_at, interface, frame, packet.data, header)
        if done is None:
            return STOLEN
        packet.data, packet.pieces = _put_together(done)
        return ACCEPT

    @staticmethod
    def _add(
        reassembler: Reassembler,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
    ) -> Whole[tuple[Interface, Frame]] | None:
        return reassembler.add(
            interface,
            frame,
            (header.source, header.target, header.protocol, header.ident),
            header.offset_bytes,
            header.more_fragments,
            header.payload,
            packet,
            header.total_bytes - len(header.payload),
        )

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        self._namespace.icmp.send_error(
            first, icmp.TIME_EXCEEDED, icmp.REASSEMBLY_TIMEOUT, received_by=interface
        )

    def _passing_timed_out(self, interface: Interface, first: bytes) -> None:
        # It was put together on its way, and perhaps for nobody here (RFC 792).
        if self._namespace.owns(first[16:20]):
            self._timed_out(interface, first)


def _put_together(done: Whole[tuple[Interface, Frame]]) -> tuple[bytes, Pieces]:
    """The whole packet, and how it was cut."""
    first = ipv4.parse(done.first, verify=False)
    assert first is not None
    heads = [f.data[HEADER_BYTES : HEADER_BYTES + ipv4.HEADER_BYTES] for _, f in done.bearers]
    pieces = _pieces_of(heads)
    whole = ipv4.emit(
        first.source,
        first.target,
        first.protocol,
        done.payload,
        ttl=first.ttl,
        tos=first.tos,
        ident=first.ident,
        flags_offset=ipv4.DONT_FRAGMENT if pieces.are_uncuttable else 0,
        options=first.options,
    )
    return whole, pieces


def _pieces_of(heads: list[bytes]) -> Pieces:
    """May a packet that came in pieces not be cut again? The largest says so."""
    most_bytes = max(head[2] << 8 | head[3] for head in heads)
    largest = [head for head in heads if head[2] << 8 | head[3] == most_bytes]
    uncuttable = any(head[6] << 8 & ipv4.DONT_FRAGMENT for head in largest)
    heads = sorted(heads, key=lambda head: (head[6] << 8 | head[7]) & ipv4.OFFSET_MASK)
    sizes = tuple((head[2] << 8 | head[3]) - (head[0] & 0x0F) * 4 for head in heads)
    return Pieces(sizes, most_bytes, uncuttable)
