"""Fragments of IPv6 put together before netfilter looks (nf_conntrack_reasm.c of the kernel)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netfilter.framing import framed
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.pieces import Pieces
from vnet.linux.netfilter.verdict import ACCEPT, STOLEN, Verdict
from vnet.linux.netns.reassembly import Reassembler
from vnet.sim.frame import Frame
from vnet.tables.reasm import Whole
from vnet.wire import icmpv6, ipv6
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class Gatherer6:
    """A namespace's IPv6 packets that are not whole yet, and that netfilter waits for."""

    __slots__ = ("_namespace", "_reassembler")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        knobs = namespace.sysctls
        self._reassembler = Reassembler(
            namespace, lambda: knobs.conntrack.nf_conntrack_frag6_timeout, self._timed_out
        )

    def gather(self, packet: NfPacket) -> Verdict:
        """Netfilter sees whole packets alone. What is malformed is left to who receives it."""
        header = ipv6.parse(packet.data)
        upper = None if header is None else ipv6.upper_layer(header)
        if header is None or upper is None or upper.fragment is None:
            return ACCEPT
        piece = upper.fragment
        if piece.offset_bytes == 0 and not piece.more:
            return ACCEPT
        device = packet.entered or packet.leaves or self._namespace.loopback.device
        done = self._reassembler.add(
            self._namespace.interfaces[device.name],
            packet.frame or framed(device, packet),
            (header.source, header.target, 0, piece.ident),
            piece.offset_bytes,
            piece.more,
            upper.payload,
            packet.data,
            upper.offset - 8,
        )
        if done is None:
            return STOLEN
        packet.data = ipv6.unfragmented(done.first, done.payload).packet
        packet.pieces = _pieces_of(done)
        return ACCEPT

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        self._namespace.icmpv6.send_error(
            first, icmpv6.TIME_EXCEEDED, icmpv6.REASSEMBLY_TIMEOUT, received_by=interface
        )


def _pieces_of(done: Whole[tuple[Interface, Frame]]) -> Pieces:
    found = []
    most_bytes = 0
    for _, frame in done.bearers:
        header = ipv6.parse(frame.data[HEADER_BYTES:])
        upper = None if header is None else ipv6.upper_layer(header)
        assert header is not None
        assert upper is not None
        assert upper.fragment is not None
        found.append((upper.fragment.offset_bytes, len(upper.payload)))
        most_bytes = max(most_bytes, ipv6.HEADER_BYTES + len(header.payload))
    return Pieces(tuple(size for _, size in sorted(found)), most_bytes, False)
