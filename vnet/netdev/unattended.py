"""A device that nobody is behind: what is sent by it has arrived, and is read by no one."""

from __future__ import annotations

from vnet.base.drops import drop_reason
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame

NOBODY_THERE = drop_reason(
    "nobody-there",
    cause="the frame went to the switch's own port, and nobody works at the switch",
    cure="nothing: whatever a switch floods goes to its own port, too",
    routine=True,
)


class UnattendedPort(NetDevice):
    """The local port of a switch that is a node by itself."""

    kind = "internal"

    __slots__ = ()

    def _xmit(self, frame: Frame) -> None:
        self.drop(frame, NOBODY_THERE)
