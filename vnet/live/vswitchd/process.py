"""A switch that follows a database of another process: what runs in ``vnet ovs-vswitchd``."""

from __future__ import annotations

import os
from collections.abc import Iterator

from vnet.live.daemon.running import RunningDaemon
from vnet.live.devices.dummy_level import DummyLevel
from vnet.live.directories import run_directory
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.streams.tls_reader import TlsReader
from vnet.live.vswitchd.abilities import LOCK_NAME, abilities
from vnet.live.vswitchd.parts import SwitchParts
from vnet.live.vswitchd.preload import preload
from vnet.live.vswitchd.remote_database import RemoteDatabase
from vnet.ovs.unixctl.table import Command
from vnet.ovs.vswitchd.daemon import Daemon
from vnet.ovs.vswitchd.events import follow_events
from vnet.ovs.vswitchd.memory import memory_usage

DATABASE_NAME = "Open_vSwitch"


class SwitchProcess:
    """The switch in a process that is nothing else. It is ready once its first configuration is in
    force and told of."""

    def __init__(
        self, process: RunningDaemon, target: str, level: DummyLevel, *, has_system: bool
    ) -> None:
        self._process = process
        self._log = process.vlog.module("bridge")
        clock, vlog = process.clock, process.vlog
        self._limit = self._log.limit(1, 1)
        self._parts = SwitchParts(clock, level, vlog)
        self._tls = TlsReader(process.tls, vlog)
        self._remote = RemoteDatabase(
            clock, target, DATABASE_NAME, lock=LOCK_NAME, vlog=vlog, tls=process.tls
        )
        self.daemon = Daemon(
            *(clock, self._parts.make_datapath, self._parts.make_devices, self._remote.view),
            abilities=abilities(level, has_system=has_system),
            vlog=vlog,
        )
        self.daemon.made = self._parts.made
        process.commands.register_later(self._commands)
        self._sockets = BridgeSockets(
            *(clock, run_directory(), vlog),
            tls=process.tls,
            is_confined=process.options.is_confined,
        )
        self.daemon.configured = self._configured
        self.daemon.written = self._ready
        self._remote.view.state_changed = self._state_changed
        follow_events(process.coverage, self.daemon)
        process.memory.add(lambda: memory_usage(self.daemon, self._sockets.n_connections))
        process.at_exit(self.close)

    def close(self) -> None:
        """Let go of everything."""
        self.daemon.stand_by()
        self._sockets.close()
        self._remote.close()

    def _commands(self) -> Iterator[Command]:
        """What ovs-appctl may ask; where there are dummies, tests may do more."""
        from vnet.ovs.vswitchd.appctl.table import switch_commands

        vswitchd = self.daemon.vswitchd
        yield from switch_commands(vswitchd)
        yield from self._parts.commands(vswitchd)

    def _configured(self) -> None:
        self._tls.follow(self.daemon.config.ssl)
        if self.daemon.has_switch:
            self._sockets.serve(self.daemon.vswitchd)

    def _ready(self) -> None:
        if not self._process.is_ready:
            self._process.ready()
            self._log.info(self._process.version)
            self.daemon.tell_statistics_regularly()
            preload(self._process.clock)

    def _state_changed(self) -> None:
        if self._remote.view.is_lock_contended:
            self._log.err(
                "another ovs-vswitchd process is running, disabling this process "
                f"(pid {os.getpid()}) until it goes away",
                self._limit,
            )
            self.daemon.stand_by()
            self._sockets.close()
        else:
            self.daemon.follow()
