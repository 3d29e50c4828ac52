"""Where each bridge speaks OpenFlow: ``br0.mgmt`` and ``br0.snoop`` in the run directory, and the
controllers that the database names.

The first is for ovs-ofctl(8). The second shows what a bridge and its controllers say to each
other; as long as no bridge has any, whoever comes to it is turned away, as Open vSwitch does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vnet.live.clock import WallClock
from vnet.live.openflow.permitted import Permits
from vnet.live.openflow.wish import Around, Wish
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.controller_status import NOT_CONNECTED, ControllerStatus

if TYPE_CHECKING:
    from vnet.live.openflow.one_bridge import OneBridge
    from vnet.ovs.vswitchd.reconcile import Vswitchd


class BridgeSockets:
    """Those of all bridges of one daemon, in ``directory``. With ``is_confined``, bridges use no
    unix sockets elsewhere."""

    def __init__(
        self,
        clock: WallClock,
        directory: str,
        vlog: Vlog = SILENT,
        *,
        tls: TlsFiles | None = None,
        is_confined: bool = True,
    ) -> None:
        self._around = Around(clock, directory, vlog, tls)
        self._permits = Permits(directory, vlog.module("bridge")) if is_confined else None
        self._bridges: dict[str, OneBridge] = {}

    def serve(self, vswitchd: Vswitchd) -> None:
        """Follow the bridges of a switch as they are now, and answer what it asks."""
        # Until there is a switch nobody speaks OpenFlow.
        from vnet.ovs.openflow.version import version_named

        vswitchd.reconnect = self.reconnect
        vswitchd.controller_status = self.status
        self.follow(
            {
                name: Wish(
                    bridge.connmgr,
                    [version_named(protocol) for protocol in bridge.config.protocols],
                    bridge.config.controller,
                    bridge.control.fail_open,
                    bridge.config.controller_queue_size,
                )
                for name, bridge in vswitchd.running.items()
            }
        )

    def follow(self, bridges: Mapping[str, Wish]) -> None:
        """Have sockets for these bridges and no others."""
        for name, known in list(self._bridges.items()):
            if name not in bridges or bridges[name].connmgr is not known.connmgr:
                self._bridges.pop(name).close()
        for name, wish in bridges.items():
            if name not in self._bridges:
                # A daemon is ready before it has imported what only bridges need.
                from vnet.live.openflow.one_bridge import OneBridge

                self._bridges[name] = OneBridge(self._around, wish.connmgr, self._permits)
            self._bridges[name].follow(wish)

    def status(self, bridge: str, target: str) -> ControllerStatus:
        """How a controller of a bridge stands."""
        known = self._bridges.get(bridge)
        service = None if known is None else known.services.get(target)
        return NOT_CONNECTED if service is None else service.status()

    def reconnect(self, bridge: str | None) -> None:
        """Have a bridge, or all of them, make their connections anew."""
        for name, known in self._bridges.items():
            if bridge in (None, name):
                for service in known.services.values():
                    service.reconnect()

    @property
    def n_connections(self) -> int:
        """How many clients there are at all of them."""
        return sum(bridge.n_connections for bridge in self._bridges.values())

    def close(self) -> None:
        """Take all of them away."""
        self.follow({})
