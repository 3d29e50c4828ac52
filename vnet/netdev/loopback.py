"""The loopback device: what a namespace sends to itself."""

from __future__ import annotations

from vnet.base.ids import MAC_ZERO
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler


class Loopback(NetDevice):
    """``lo``: every frame sent comes back in, in an event of its own."""

    kind = "loopback"

    __slots__ = ()

    def __init__(self, scheduler: Scheduler, owner: str = "") -> None:
        super().__init__(scheduler, "lo", MAC_ZERO, mtu_bytes=65536, owner=owner)

    def _xmit(self, frame: Frame) -> None:
        self.scheduler.after(0, self.receive, frame)
