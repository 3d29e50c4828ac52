"""Fragments of IPv4 put together (net/ipv4/ip_fragment.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netfilter.pieces import Pieces
from vnet.linux.netns.reassembly import Reassembler
from vnet.sim.frame import Frame
from vnet.tables.reasm import Whole
from vnet.wire import icmp, ipv4
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class Fragments4:
    """A namespace's incomplete IPv4 packets."""

    __slots__ = ("_namespace", "_reassembler")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        sysctls = namespace.sysctls
        self._reassembler = Reassembler(
            namespace, lambda: sysctls.ipv4.ipfrag_time, self._timed_out
        )

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._reassembler.held_bytes

    def reassemble(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> bytes | None:
        """A fragment for this machine: the packet, once it is whole."""
        done = self.add(interface, frame, packet, header)
        return None if done is None else put_together(done)[0]

    def add(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> Whole[tuple[Interface, Frame]] | None:
        """Add a fragment; all of its packet, once that is whole."""
        return self._reassembler.add(
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


def put_together(done: Whole[tuple[Interface, Frame]]) -> tuple[bytes, Pieces]:
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
