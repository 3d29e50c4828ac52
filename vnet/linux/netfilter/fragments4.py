"""Fragments of IPv4 put together before netfilter looks (nf_defrag_ipv4.c of the kernel).

What goes on leaves in the pieces in which it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netfilter.framing import framed
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import ACCEPT, STOLEN, Verdict
from vnet.linux.netns.ipv4_fragments import Fragments4, put_together
from vnet.wire import ipv4

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


class Gatherer4(Fragments4):
    """A namespace's IPv4 packets that are not whole yet, and that netfilter waits for."""

    __slots__ = ()

    def gather(self, packet: NfPacket) -> Verdict:
        """Netfilter sees whole packets alone."""
        header = ipv4.parse(packet.data, verify=False)
        if header is None or not header.is_fragment:
            return ACCEPT
        device = packet.entered or packet.leaves or self._namespace.loopback.device
        interface = self._namespace.interfaces[device.name]
        frame = packet.frame or framed(device, packet)
        done = self.add(interface, frame, packet.data, header)
        if done is None:
            return STOLEN
        packet.data, packet.pieces = put_together(done)
        return ACCEPT

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        # It was put together on its way, and perhaps for nobody here (RFC 792).
        if self._namespace.owns(first[16:20]):
            super()._timed_out(interface, first)
