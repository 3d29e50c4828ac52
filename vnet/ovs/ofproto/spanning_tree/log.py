"""What a daemon's log says of spanning trees."""

from __future__ import annotations

from vnet.ovs.vlog.vlog import SILENT, Vlog

_PER_MINUTE, _BURST = 1, 5


class TreeLog:
    """The module ``stp``, for all bridges together."""

    def __init__(self, vlog: Vlog = SILENT) -> None:
        self._log = vlog.module("stp")
        self._changes = self._log.limit(_PER_MINUTE, _BURST)

    def topology_changed(self, bridge: str) -> None:
        """A bridge has seen a change of the topology itself, and tells the others."""
        self._log.info(f"{bridge}: detected topology change.", self._changes)
