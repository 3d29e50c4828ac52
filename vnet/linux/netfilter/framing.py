"""Packets that no frame has brought, as captures and the trace show them."""

from __future__ import annotations

from vnet.base.ids import MAC_ZERO
from vnet.linux.netfilter.packet import NfPacket
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.wire.ether import TYPE_IPV4, TYPE_IPV6
from vnet.wire.ether import frame as ether_frame


def framed(device: NetDevice, packet: NfPacket) -> Frame:
    """The packet with a header that says as much as is known of its way."""
    kind = TYPE_IPV4 if packet.family == 4 else TYPE_IPV6
    return Frame(ether_frame(MAC_ZERO, device.mac, kind, packet.data), packet.meta)
