"""Where each bridge speaks OpenFlow: ``br0.mgmt`` and ``br0.snoop`` in the run directory, and the
controllers that the database names.

The first is for ovs-ofctl(8). The second shows what a bridge and its controllers say to each
other; as long as no bridge has any, whoever comes to it is turned away, as Open vSwitch does.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from vnet.live.clock import WallClock
from vnet.live.openflow.permitted import Permits
from vnet.live.openflow.services import (
    ActiveService,
    Around,
    LostService,
    PassiveService,
    Service,
)
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.stream import Stream
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.hello import Versions
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.controller_status import NOT_CONNECTED, ControllerStatus

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.fail_open import FailOpen
    from vnet.ovs.vswitchd.reconcile import Vswitchd

_VERSIONS = {f"OpenFlow1{minor}": minor + 1 for minor in range(6)}


class Wish(NamedTuple):
    """What a bridge speaks (no versions: all), and with whom. ``fail_open`` hears of it."""

    versions: Versions = ()
    controllers: tuple[ControllerConfig, ...] = ()
    fail_open: FailOpen | None = None


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
        self._around = Around(clock, directory, vlog, tls, count(1).__next__)
        self._permits = Permits(directory, vlog.module("bridge")) if is_confined else None
        self._bridges: dict[str, _Bridge] = {}

    def serve(self, vswitchd: Vswitchd) -> None:
        """Follow the bridges of a switch as they are now, and answer what it asks."""
        vswitchd.reconnect = self.reconnect
        vswitchd.controller_status = self.status
        self.follow(
            {
                name: Wish(
                    [_VERSIONS[protocol] for protocol in bridge.config.protocols],
                    bridge.config.controller,
                    bridge.control.fail_open,
                )
                for name, bridge in vswitchd.running.items()
            }
        )

    def follow(self, bridges: Mapping[str, Wish]) -> None:
        """Have sockets for these bridges and no others."""
        for name in [name for name in self._bridges if name not in bridges]:
            self._bridges.pop(name).close()
        for name, wish in bridges.items():
            if name not in self._bridges:
                self._bridges[name] = _Bridge(self._around, name, self._permits)
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


class _Bridge:
    """One bridge's."""

    def __init__(self, around: Around, name: str, permits: Permits | None) -> None:
        self.services: dict[str, Service] = {}
        self._kinds: dict[str, str] = {}
        self._around = around
        self._name = name
        self._permits = permits
        self._log = around.vlog.module("connmgr")
        path = f"punix:{around.directory}/{name}"
        self._mgmt = ControllerConfig(f"{path}.mgmt")
        self._snoop = self._listen(f"{path}.snoop")

    def _listen(self, target: str) -> Listener | None:
        clock, vlog = self._around.clock, self._around.vlog
        try:
            return listen(clock, target, self._snooper_came, vlog=vlog)
        except OSError as error:
            self._log.err(f"{self._name}: failed to listen on {target} ({error.strerror})")
            return None

    @property
    def n_connections(self) -> int:
        """How many peers there are."""
        return sum(service.n_connections for service in self.services.values())

    def follow(self, wish: Wish) -> None:
        """Have these controllers and no others, and the socket for ovs-ofctl in any case."""
        versions = wish.versions or tuple(OpenFlowVersion)
        wanted = {self._mgmt.target: self._mgmt} | {
            controller.target: controller
            for controller in wish.controllers
            if self._permits is None or self._permits.allows(self._name, controller.target)
        }
        for target, controller in wanted.items():
            if target not in self.services:
                self._add(controller, versions, wish.fail_open)
        for target, service in list(self.services.items()):
            if target not in wanted:
                self._remove(target)
                continue
            service.versions = versions
            service.configure(wanted[target])

    def close(self) -> None:
        """The bridge goes."""
        for service in self.services.values():
            service.close()
        self.services.clear()
        if self._snoop is not None:
            self._snoop.close()

    def _add(self, config: ControllerConfig, versions: Versions, fail: FailOpen | None) -> None:
        target = config.target
        if not config.is_supported:
            self._log.warn(f'{self._name}: unsupported controller "{target}"')
            return
        try:
            if config.is_active:
                self.services[target] = self._active(target, versions, fail)
            else:
                self.services[target] = PassiveService(self._around, self._name, target, versions)
        except OSError:
            return  # What is in the way has been logged.
        self._log.info(f'{self._name}: added {_kind(config)} controller "{target}"')
        self._kinds[target] = _kind(config)

    def _active(self, target: str, versions: Versions, fail: FailOpen | None) -> Service:
        try:
            return ActiveService(
                *(self._around, self._name, target, versions),
                admitted=_nobody if fail is None else fail.admitted,
                dropped=_nobody if fail is None else fail.dropped,
            )
        except OSError as error:
            return LostService(self._around, self._name, target, error)

    def _remove(self, target: str) -> None:
        self.services.pop(target).close()
        self._log.info(f'{self._name}: removed {self._kinds.pop(target)} controller "{target}"')

    def _snooper_came(self, stream: Stream) -> None:
        self._log.info("no controller connection to snoop")
        stream.close()


def _kind(config: ControllerConfig) -> str:
    """What logs call it."""
    return "primary" if config.is_primary else "service"


def _nobody(_target: str) -> None:
    """Nobody is to be told."""
