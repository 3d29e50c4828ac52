"""A physical network card: its wire is an end of a :class:`~vnet.sim.link.Link`."""

from __future__ import annotations

from vnet.base.drops import DropReason
from vnet.base.ids import Mac
from vnet.netdev.device import DEVICE_DOWN, NetDevice
from vnet.sim.frame import Frame
from vnet.sim.link import LinkEnd
from vnet.sim.scheduler import Scheduler

_SPEED_MBPS = 10_000


class Nic(NetDevice):
    """A card that has a carrier while it is plugged into a link that is up."""

    kind = "nic"

    __slots__ = ("end",)

    def __init__(
        self, scheduler: Scheduler, name: str, mac: Mac, mtu_bytes: int = 1500, owner: str = ""
    ) -> None:
        super().__init__(scheduler, name, mac, mtu_bytes, owner)
        self.carrier = False
        self.end: LinkEnd | None = None

    @property
    def busy_until_ns(self) -> int:
        return 0 if self.end is None else self.end.busy_until_ns

    @property
    def speed_mbps(self) -> int | None:
        """The link's, and 10 Gbit/s on one that is not limited; None without a link."""
        if self.end is None:
            return None
        bandwidth_bps = self.end.link.bandwidth_bps
        return _SPEED_MBPS if bandwidth_bps is None else bandwidth_bps // 1_000_000

    def plug(self, end: LinkEnd) -> None:
        """Connect the card to one end of a link."""
        self.end = end
        end.receive = self.receive
        end.carrier_changed = self._follow_link
        end.dropped = self._lost_on_wire
        self._follow_link()

    def unplug(self) -> None:
        """The cable goes elsewhere."""
        self.end = None
        self._follow_link()

    def _lost_on_wire(self, frame: Frame, reason: DropReason) -> None:
        # The link has counted it; the captures of this card learn what became of the frame.
        if self.sniffers is not None:
            for sniffer in self.sniffers:
                sniffer.note_drop(self.scheduler.now_ns, frame.data, reason)

    def _follow_link(self) -> None:
        self.set_carrier(self.end is not None and self.end.link.up)

    def _xmit(self, frame: Frame) -> None:
        if self.end is None:
            # It was pulled while the frame waited in a queue of the card.
            return self.drop(frame, DEVICE_DOWN)
        return self.end.send(frame)
