"""``vnet ovs``: an empty Open vSwitch in one process, with nothing around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vnet.live.clock import WallClock
from vnet.live.daemon.signals import EndingSignals
from vnet.live.devices.dummy_level import DummyLevel
from vnet.live.ovsdb.files import create_database, random_uuid
from vnet.live.ovsdb.ovsdb_server import OvsdbServer
from vnet.live.switch.live_switch import live_switch, switch_server
from vnet.live.switch.logs import SWITCH, Logs
from vnet.live.switch.run_directory import run_directory
from vnet.live.vswitchd.abilities import abilities
from vnet.live.vswitchd.parts import SwitchParts
from vnet.live.vswitchd.preload import preload
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vswitchd.daemon import Daemon

if TYPE_CHECKING:
    from vnet.base.chance import Chance


def run_switch(
    directory: Path, file: Path | None, level: DummyLevel, ready: Callable[[], None], logs: Logs
) -> None:
    """Be an Open vSwitch in ``directory`` until somebody ends it; ``ready`` is called when
    everything answers. The rest is as for :func:`standalone_switch`."""
    clock = WallClock()
    clock.begin()
    with (
        closing(clock),
        closing(EndingSignals(clock, clock.stop)),
        standalone_switch(clock, directory, file, level, logs=logs),
    ):
        ready()
        preload(clock)
        clock.run_live()


@contextmanager
def standalone_switch(
    clock: WallClock,
    directory: Path,
    file: Path | None = None,
    level: DummyLevel = DummyLevel.NONE,
    *,
    chance: Chance | None = None,
    logs: Logs | None = None,
) -> Iterator[Daemon]:
    """Have an Open vSwitch in ``directory`` while the block lasts; it works as ``clock`` runs, and
    stops that when somebody tells it to exit.

    The database is in ``file``, which is made where it is missing, or without one in memory:
    nothing of it is left then, and nobody waits for a disk. With ``chance``, what is drawn comes
    from there, the identities of new rows in memory too. Raises
    :class:`~vnet.live.daemon.errors.FatalError`, ``OvsdbError`` or ``OSError``.
    """
    logs = logs or Logs()
    server = switch_server(clock, directory, logs)
    with run_directory(directory, logs), closing(server):
        database = _database(server, file, chance)
        parts = SwitchParts(clock, level, logs[SWITCH], directory=str(directory), chance=chance)
        daemon = Daemon(
            *(clock, parts.make_datapath, parts.make_devices, LocalView(database)),
            abilities=abilities(level, has_system=True),
            vlog=logs[SWITCH],
        )
        daemon.made = parts.made
        with (
            closing(parts),
            live_switch(
                *(clock, directory, server, daemon, logs),
                ended=clock.stop,
                commands=lambda: parts.commands(daemon.vswitchd),
            ),
        ):
            yield daemon


def _database(server: OvsdbServer, file: Path | None, chance: Chance | None) -> Database:
    schema = open_vswitch_schema()
    if file is None:
        new_uuid = random_uuid
        if chance is not None:
            drawn = chance.stream("database")
            new_uuid = lambda: Uuid.from_bytes(drawn.randbytes(16))  # noqa: E731
        server.add(Database(schema, new_uuid=new_uuid))
    else:
        if not file.exists():
            create_database(str(file), schema)
        server.open(str(file))
        if schema.name not in server.databases:
            raise OvsdbError("ovsdb error", f"{file}: no database of the schema {schema.name}")
    return server.databases[schema.name]
