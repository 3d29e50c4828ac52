"""What a switch that no lab is around consists of, made when its first bridge comes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vnet.live.clock import WallClock
from vnet.live.devices.dummy_level import DummyLevel
from vnet.ovs.unixctl.table import Command
from vnet.ovs.vlog.vlog import Vlog

if TYPE_CHECKING:
    # Whoever is in a hurry to start does without what they are made of.
    from vnet.base.chance import Chance
    from vnet.live.devices.devices import StandaloneDevices
    from vnet.ovs.datapath.datapath import Datapath
    from vnet.ovs.vswitchd.reconcile import Vswitchd

_SEED_BYTES = 8


class SwitchParts:
    """Its datapath and its devices, for a :class:`~vnet.ovs.vswitchd.daemon.Daemon`.

    ``directory`` is where relative names of sockets are, by default where Open vSwitch keeps its
    own. With ``chance``, what is drawn comes from there.
    """

    def __init__(
        self,
        clock: WallClock,
        level: DummyLevel,
        vlog: Vlog,
        *,
        directory: str | None = None,
        chance: Chance | None = None,
    ) -> None:
        self._clock = clock
        self._level = level
        self._vlog = vlog
        self._directory = directory
        self._chance = chance
        self._devices: StandaloneDevices | None = None

    def make_datapath(self) -> Datapath:
        """The datapath of all bridges."""
        from vnet.base.chance import Chance
        from vnet.ovs.datapath.datapath import Datapath

        drawn = Chance(int.from_bytes(os.urandom(_SEED_BYTES), "big"))
        return Datapath(self._clock, "ovs-netdev", self._chance or drawn)

    def make_devices(self) -> StandaloneDevices:
        """Where devices come from."""
        from vnet.live.devices.devices import StandaloneDevices

        self._devices = StandaloneDevices(
            self._clock, self._level, self._vlog, directory=self._directory
        )
        return self._devices

    def made(self, vswitchd: Vswitchd) -> None:
        """Tunnels ask dummy devices for the host's addresses."""
        if self._devices is not None:
            vswitchd.backer.underlay.set_host(self._devices.dummies)

    def commands(self, vswitchd: Vswitchd) -> Iterator[Command]:
        """What tests may do to dummy devices, where there are such, and to time."""
        if self._level is DummyLevel.NONE:
            return
        from vnet.ovs.vswitchd.appctl.clock import clock_commands
        from vnet.ovs.vswitchd.appctl.dummies import DummyCommands
        from vnet.ovs.vswitchd.appctl.table import switch_commands

        assert self._devices is not None, "it comes with the switch"
        dummies = DummyCommands(vswitchd, self._devices.dummies)
        yield from switch_commands(vswitchd, dummies.commands())
        yield from clock_commands(self._clock)

    def close(self) -> None:
        """Let go of the streams and files behind devices."""
        if self._devices is not None:
            self._devices.unplug()
