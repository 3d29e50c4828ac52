"""The sockets and the controllers of one bridge."""

from __future__ import annotations

from dataclasses import replace

from vnet.live.openflow.active import ActiveService, LostService
from vnet.live.openflow.passive import PassiveService
from vnet.live.openflow.permitted import Permits
from vnet.live.openflow.service import Service
from vnet.live.openflow.wish import Around, Wish
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.stream import Stream
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.hello import Versions
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.fail_open import FailOpen

_MGMT_PROBE_MS = 60_000
"""Whoever comes to ``.mgmt`` is asked for a sign of life after so long."""


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
        self._mgmt = ControllerConfig(f"{path}.mgmt", inactivity_probe=_MGMT_PROBE_MS)
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
        versions = tuple(wish.versions) or tuple(OpenFlowVersion)
        wanted = {
            controller.target: _with_queue(controller, wish.queue_size)
            for controller in (self._mgmt, *wish.controllers)
            if controller is self._mgmt or self._allows(controller.target)
        }
        for target, controller in wanted.items():
            if target not in self.services:
                self._add(controller, versions, wish.fail_open)
        for target, service in list(self.services.items()):
            if target not in wanted:
                self._remove(target)
                continue
            if service.versions not in (versions, ()):
                self._log.info(
                    f'{self._name}: Changes to controller "{target}" expects re-initialization: '
                    "Re-initializing now."
                )
                self.services.pop(target).close()
                if wish.fail_open is not None:
                    # Whoever comes back has to admit the bridge anew.
                    wish.fail_open.dropped(target)
                self._add(wanted[target], versions, wish.fail_open)
                continue
            service.configure(wanted[target])

    def _allows(self, target: str) -> bool:
        return self._permits is None or self._permits.allows(self._name, target)

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
                reached=_nobody if fail is None else fail.reached,
            )
        except OSError as error:
            return LostService(self._around, self._name, config.target, error)

    def _remove(self, target: str) -> None:
        self.services.pop(target).close()
        self._log.info(f'{self._name}: removed {self._kinds.pop(target)} controller "{target}"')

    def _snooper_came(self, stream: Stream) -> None:
        active = [s for s in self.services.values() if isinstance(s, ActiveService)]
        if active:
            max(active, key=lambda service: service.snoop_preference).show(stream)
        else:
            self._log.info("no controller connection to snoop")
            stream.close()


def _with_queue(config: ControllerConfig, queue_size: int | None) -> ControllerConfig:
    """A controller whose row does not say how many packet-ins may wait, as its bridge says."""
    if config.controller_queue_size is not None:
        return config
    return replace(config, controller_queue_size=queue_size)


def _kind(config: ControllerConfig) -> str:
    """What logs call it."""
    return "primary" if config.is_primary else "service"


def _nobody(_target: str) -> None:
    """Nobody is to be told."""
