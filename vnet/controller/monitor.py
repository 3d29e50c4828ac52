"""``ovs-ofctl monitor`` in this process: somebody who looks on what a bridge of a lab tells."""

from __future__ import annotations

from collections.abc import Callable

from vnet.controller.link import LocalLink
from vnet.ovs.openflow.controller.heard import Heard
from vnet.ovs.openflow.controller.monitor import MonitorConnection
from vnet.ovs.vswitchd.bridge import Bridge
from vnet.ovs.vswitchd.ofctl.watching import Wanted
from vnet.sim.scheduler import Scheduler


class LocalMonitor:
    """``tell`` hears what ``bridge`` tells who has asked for what is ``wanted``, until
    :meth:`close`. Raises UsageError where the bridge speaks none of the versions for that.
    """

    def __init__(
        self,
        bridge: Bridge,
        label: str,
        scheduler: Scheduler,
        wanted: Wanted,
        tell: Callable[[Heard], None],
    ) -> None:
        link = self._link = LocalLink(
            *(bridge, label, scheduler, self._take), versions=wanted.versions, is_primary=False
        )
        self._connection = MonitorConnection(wanted.versions, wanted.wishes, link.send, tell)
        link.start()
        self._connection.start()

    def _take(self, data: bytes) -> None:
        self._connection.take(data)

    @property
    def refusal(self) -> str:
        """Why the bridge refuses what is wanted, by OpenFlow's name; empty if it does not."""
        return self._connection.refusal

    def close(self) -> None:
        """Look on no more."""
        self._link.close()
        self._link.settle()
