"""A dummy device that remembers what it sent, and can be wired to another one."""

from __future__ import annotations

from vnet.base.ids import Mac
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler


class RememberingDevice(DummyDevice):
    """``sent`` are the frames that left by it, in order."""

    __slots__ = ("_other_end", "sent")

    def __init__(
        self, scheduler: Scheduler, name: str, mac: Mac, mtu_bytes: int = 1500, owner: str = ""
    ) -> None:
        super().__init__(scheduler, name, mac, mtu_bytes, owner)
        self.sent: list[bytes] = []
        self._other_end: RememberingDevice | None = None

    def join(self, other: RememberingDevice) -> None:
        """From now on each of the two receives what the other sends, at the same instant."""
        self._other_end, other._other_end = other, self

    def _xmit(self, frame: Frame) -> None:
        self.sent.append(frame.data)
        super()._xmit(frame)
        if self._other_end is not None:
            self.scheduler.at(self.scheduler.now_ns, self._other_end.receive, frame)

    def take_sent(self) -> list[bytes]:
        """What was sent since the last time somebody asked."""
        sent, self.sent = self.sent, []
        return sent
