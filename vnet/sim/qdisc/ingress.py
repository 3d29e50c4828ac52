"""The discipline of what comes in: nothing waits there, but filters may police it (tc-ingress)."""

from __future__ import annotations

from vnet.sim.frame import Frame
from vnet.sim.qdisc.discipline import QdiscStats
from vnet.sim.qdisc.filters import Filters
from vnet.sim.qdisc.qdisc import Sender
from vnet.sim.scheduler import Scheduler
from vnet.wire.ether import HEADER_BYTES


class Ingress:
    """Stands where a device has received a frame, behind the captures of it.

    It counts only what it has filters for, and as long as it is without the Ethernet header, which
    is off by then.
    """

    kind = "ingress"

    def __init__(self, scheduler: Scheduler, device: Sender) -> None:
        self.filters = Filters()
        self.stats = QdiscStats()
        self._scheduler = scheduler
        self._device = device

    def admits(self, frame: Frame) -> bool:
        """Whether a frame may go on. If not it was dropped."""
        if not self.filters:
            return True
        n_bytes = len(frame.data) - HEADER_BYTES
        self.stats.sent_bytes += n_bytes
        self.stats.sent_packets += 1
        lost = self.filters.classify(frame.data, self._scheduler.now_ns, n_bytes).lost
        if lost is not None:
            self.stats.drops += 1
            self._device.drop(frame, lost)
        return lost is None
