"""The ports of a datapath, as actions see them."""

from __future__ import annotations

from typing import Protocol

from vnet.base.drops import DropReason
from vnet.netdev.device import NetDevice, RxHandler
from vnet.ovs.datapath.cache import Hits, PlainFlows
from vnet.ovs.datapath.reasons import NO_SUCH_PORT, PORT_MTU
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES, payload_bytes


class Mourner(Protocol):
    """Whoever counts the frames that no device has in its hands."""

    def mourn(self, frame: Frame, reason: DropReason) -> None:
        """Count and name the loss of a frame."""


class Vport:
    """A port number. ``device`` is None while no port has it: compiled flows keep the number and
    not the device, so that a port may come and go beneath them. ``hits`` and ``plain_flows``
    are what the exact-match cache knows of frames that come in here; at a tunnel's port the keys
    of ``hits`` begin with the metadata."""

    __slots__ = ("_mourner", "device", "hits", "kind", "number", "plain_flows", "receiver")

    def __init__(self, mourner: Mourner, number: OdpPort) -> None:
        self._mourner = mourner
        self.number = number
        self.device: NetDevice | None = None
        self.receiver: RxHandler | None = None
        self.kind = ""
        self.hits: Hits = {}
        self.plain_flows: PlainFlows = {}

    def send(self, frame: Frame, queue: int = 0) -> None:
        """Output a frame by a queue of the port. A device that is down drops it itself."""
        device = self.device
        if device is None:
            return self._mourner.mourn(frame, NO_SUCH_PORT)
        data = frame.data
        if len(data) - HEADER_BYTES > device.mtu_bytes and payload_bytes(data) > device.mtu_bytes:
            return device.drop(frame, PORT_MTU)
        return device.transmit(frame, queue)


class Vports(Protocol):
    """Whoever knows the places of port numbers."""

    def vport(self, number: OdpPort) -> Vport:
        """The place of a number, whether or not there is such a port now."""
