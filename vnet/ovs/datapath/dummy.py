"""Dummy ports, for tests: they remember what is sent (``netdev-dummy`` of Open vSwitch)."""

from __future__ import annotations

from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler


class DummyDevice(NetDevice):
    """A device without a wire. ``sent`` are the frames that left by it, in order.

    As with Open vSwitch's, frames pass whether or not it is up.
    """

    kind = "dummy"

    __slots__ = ("_other_end", "sent")

    def __init__(
        self, scheduler: Scheduler, name: str, mac: Mac, mtu_bytes: int = 1500, owner: str = ""
    ) -> None:
        super().__init__(scheduler, name, mac, mtu_bytes, owner)
        self.sent: list[bytes] = []
        self._other_end: DummyDevice | None = None
        self.set_admin(True)

    def join(self, other: DummyDevice) -> None:
        """From now on each of the two receives what the other sends, at the same instant."""
        self._other_end, other._other_end = other, self

    def receive(self, frame: Frame) -> None:
        if self.running:
            return super().receive(frame)
        self.rx_packets += 1
        self.rx_bytes += len(frame.data)
        return self.rx_handler(frame)

    def transmit(self, frame: Frame, queue: int = 0) -> None:
        if self.running:
            return super().transmit(frame, queue)
        self.tx_packets += 1
        self.tx_bytes += len(frame.data)
        return self._xmit(frame)

    def _xmit(self, frame: Frame) -> None:
        self.sent.append(frame.data)
        if self._other_end is not None:
            self.scheduler.at(self.scheduler.now_ns, self._other_end.receive, frame)

    def deliver(self, data: bytes) -> None:
        """Have the device receive a frame (``netdev-dummy/receive``)."""
        self.receive(Frame(data))

    def take_sent(self) -> list[bytes]:
        """What was sent since the last time somebody asked."""
        sent, self.sent = self.sent, []
        return sent
