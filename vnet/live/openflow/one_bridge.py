"""The sockets and the controllers of one bridge."""

from __future__ import annotations

from vnet.live.openflow.permitted import Permits
from vnet.live.openflow.services import ActiveService, LostService, PassiveService, Service
from vnet.live.openflow.wish import Around, Wish
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.stream import Stream
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.hello import Versions
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.fail_open import FailOpen


class OneBridge:
    """What it speaks by, from its making on."""

    def __init__(self, around: Around, connmgr: ConnectionManager, permits: Permits | None) -> None:
        self.services: dict[str, Service] = {}
        self._kinds: dict[str, str] = {}
        self._around = around
        self.connmgr = connmgr
        self._name = name = connmgr.ofproto.name
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
                self.services[target] = self._active(config, versions, fail)
            else:
                self.services[target] = PassiveService(self._around, self.connmgr, config, versions)
        except OSError:
            return  # What is in the way has been logged.
        self._log.info(f'{self._name}: added {_kind(config)} controller "{target}"')
        self._kinds[target] = _kind(config)

    def _active(
        self, config: ControllerConfig, versions: Versions, fail: FailOpen | None
    ) -> Service:
        try:
            return ActiveService(
                *(self._around, self.connmgr, config, versions),
                admitted=_nobody if fail is None else fail.admitted,
                dropped=_nobody if fail is None else fail.dropped,
            )
        except OSError as error:
            return LostService(self._around, self._name, config.target, error)

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
