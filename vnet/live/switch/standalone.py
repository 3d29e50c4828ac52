"""``vnet ovs``: an empty Open vSwitch in one process, with nothing around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vnet.base.chance import Chance
from vnet.live.clock import WallClock
from vnet.live.daemon.signals import EndingSignals
from vnet.live.devices.devices import StandaloneDevices
from vnet.live.devices.dummy_level import DummyLevel
from vnet.live.ovsdb.files import create_database, random_uuid
from vnet.live.ovsdb.ovsdb_server import OvsdbServer
from vnet.live.switch.live_switch import live_switch
from vnet.live.switch.logs import SERVER, SWITCH, Logs
from vnet.live.switch.run_directory import run_directory
from vnet.live.vswitchd.process import abilities
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.unixctl.table import Command
from vnet.ovs.vswitchd.daemon import Daemon

_SEED_BYTES = 8


def run_switch(
    directory: Path, file: Path | None, level: DummyLevel, ready: Callable[[], None]
) -> None:
    """Be an Open vSwitch in ``directory`` until somebody ends it; ``ready`` is called when
    everything answers. The rest is as for :func:`standalone_switch`."""
    clock = WallClock()
    clock.begin()
    with (
        closing(clock),
        closing(EndingSignals(clock, clock.stop)),
        standalone_switch(clock, directory, file, level),
    ):
        ready()
        clock.run_live()


@contextmanager
def standalone_switch(
    clock: WallClock,
    directory: Path,
    file: Path | None = None,
    level: DummyLevel = DummyLevel.NONE,
    *,
    chance: Chance | None = None,
) -> Iterator[Daemon]:
    """Have an Open vSwitch in ``directory`` while the block lasts; it works as ``clock`` runs, and
    stops that when somebody tells it to exit.

    The database is in ``file``, which is made where it is missing, or without one in memory:
    nothing of it is left then, and nobody waits for a disk. Raises
    :class:`~vnet.live.daemon.errors.FatalError`, ``OvsdbError`` or ``OSError``.
    """
    logs = Logs()
    server = OvsdbServer(clock, vlog=logs[SERVER], directory=str(directory))
    with run_directory(directory, logs), closing(server):
        database = _database(server, file)
        devices = StandaloneDevices(clock, level, logs[SWITCH])
        datapath = Datapath(clock, "ovs-netdev", chance or _drawn())
        daemon = Daemon(
            *(clock, datapath, devices, LocalView(database)),
            abilities=abilities(level, has_system=True),
            vlog=logs[SWITCH],
        )
        daemon.vswitchd.backer.underlay.set_host(devices.dummies)

        def configured() -> None:
            # There is one datapath, which goes by the type that bridges have.
            kinds = {bridge.datapath_type for bridge in daemon.vswitchd.config.bridges}
            datapath.name = "ovs-dummy" if "dummy" in kinds else "ovs-netdev"

        def commands() -> Iterable[Command]:
            return () if level is DummyLevel.NONE else _dummy_commands(clock, daemon, devices)

        with live_switch(
            *(clock, directory, server, daemon, logs),
            ended=clock.stop,
            configured=configured,
            commands=commands,
        ):
            yield daemon


def _drawn() -> Chance:
    return Chance(int.from_bytes(os.urandom(_SEED_BYTES), "big"))


def _database(server: OvsdbServer, file: Path | None) -> Database:
    schema = open_vswitch_schema()
    if file is None:
        server.add(Database(schema, new_uuid=random_uuid))
    else:
        if not file.exists():
            create_database(str(file), schema)
        server.open(str(file))
        if schema.name not in server.databases:
            raise OvsdbError("ovsdb error", f"{file}: no database of the schema {schema.name}")
    return server.databases[schema.name]


def _dummy_commands(
    clock: WallClock, daemon: Daemon, devices: StandaloneDevices
) -> Iterator[Command]:
    """What tests may do to dummy devices, and to time."""
    from vnet.ovs.vswitchd.appctl.clock import clock_commands
    from vnet.ovs.vswitchd.appctl.dummies import DummyCommands
    from vnet.ovs.vswitchd.appctl.table import switch_commands

    dummies = DummyCommands(daemon.vswitchd, devices.dummies)
    yield from switch_commands(daemon.vswitchd, dummies.commands())
    yield from clock_commands(clock)
