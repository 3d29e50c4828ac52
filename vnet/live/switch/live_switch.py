"""One host's Open vSwitch as its tools see it: what clients find in its run directory.

There are ``db.sock``, a control socket for each of the two daemons that it stands for, and two
sockets for each bridge; the pidfiles are there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vnet.live.clock import WallClock
from vnet.live.daemon.memory import Memory, Usage
from vnet.live.daemon.program import OVS_VERSION
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.ovsdb.ovsdb_server import OvsdbServer
from vnet.live.streams.tls_files import TlsFiles
from vnet.live.streams.tls_reader import TlsReader
from vnet.live.switch.logs import PROGRAMS, SERVER, SWITCH, Logs
from vnet.live.unixctl import UnixctlServer
from vnet.live.vswitchd.abilities import LOCK_NAME
from vnet.ovs.unixctl.coverage import Coverage
from vnet.ovs.unixctl.coverage_names import OVSDB_SERVER_EVENTS, VSWITCHD_EVENTS
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command, CommandTable
from vnet.ovs.vswitchd.daemon import Daemon
from vnet.ovs.vswitchd.events import follow_events
from vnet.ovs.vswitchd.memory import memory_usage

_EVENTS = {SWITCH: VSWITCHD_EVENTS, SERVER: OVSDB_SERVER_EVENTS}
_MANAGERS = "db:Open_vSwitch,Open_vSwitch,manager_options"
_SSL = "db:Open_vSwitch,SSL"


def _nothing() -> None:
    """Nobody is to be told."""


def switch_server(clock: WallClock, directory: Path, logs: Logs) -> OvsdbServer:
    """A server of databases, without any yet. It takes its certificates from the SSL row, as
    ovs-ctl(8) has it."""
    tls = TlsFiles(f"{_SSL},private_key", f"{_SSL},certificate", f"{_SSL},ca_cert")
    tls.bootstraps = True
    return OvsdbServer(clock, vlog=logs[SERVER], tls=tls, directory=str(directory))


@contextmanager
def live_switch(
    clock: WallClock,
    directory: Path,
    server: OvsdbServer,
    daemon: Daemon,
    logs: Logs,
    *,
    ended: Callable[[], None] | None = None,
    commands: Callable[[], Iterable[Command]] = tuple,
) -> Iterator[None]:
    """Let clients come while the block lasts: to the databases of ``server``, and to the ``daemon``
    that follows one of them. All that they can find answers when the block begins.

    ``ended`` is called when somebody tells one of the two daemons to exit; without it they do not.
    ``commands`` makes what the switch answers besides the usual. Raises ``OSError`` where a socket
    cannot be made.
    """

    tls = TlsFiles()
    reader = TlsReader(tls, logs[SWITCH])

    def follow_configuration() -> None:
        reader.follow(daemon.config.ssl)
        if daemon.has_switch:
            sockets.serve(daemon.vswitchd)

    leave = _exit_command(ended)
    usages: dict[str, Usage] = {
        SERVER: server.usage,
        SWITCH: lambda: memory_usage(daemon, sockets.n_connections),
    }
    tables = _tables(clock, logs, daemon, usages)
    tables[SERVER].register(*server.commands(), leave)
    tables[SWITCH].register(leave)
    tables[SWITCH].register_later(lambda: _switch_commands(daemon))
    tables[SWITCH].register_later(commands)
    with ExitStack() as doors:
        # Another switch that comes to the database waits, as it would for a process of its own.
        held = server.server.locks.ask(LOCK_NAME, lambda _method, _lock: None)
        doors.callback(server.server.locks.release, held)
        server.add_remote("punix:db.sock")
        server.add_remote(_MANAGERS)
        complaint = server.configure()
        if complaint:
            raise OSError(complaint)
        sockets = BridgeSockets(clock, str(directory), logs[SWITCH], tls=tls)
        doors.callback(sockets.close)
        follow_configuration()
        daemon.configured = follow_configuration
        for program, table in tables.items():
            unixctl = UnixctlServer(
                clock, table, program, directory=str(directory), vlog=logs[program]
            )
            doors.callback(unixctl.close)
        daemon.tell_statistics_regularly()
        yield
        daemon.configured = _nothing


def _switch_commands(daemon: Daemon) -> Iterable[Command]:
    # Whoever is in a hurry to start does without what they are made of.
    from vnet.ovs.vswitchd.appctl.table import switch_commands

    return switch_commands(daemon.vswitchd)


def _tables(
    clock: WallClock, logs: Logs, daemon: Daemon, usages: Mapping[str, Usage]
) -> dict[str, CommandTable]:
    """By program, what it answers as any daemon does."""
    coverages = {
        program: Coverage(_EVENTS[program], logs[program].around.monotonic_ms)
        for program in PROGRAMS
    }
    follow_events(coverages[SWITCH], daemon)
    return {
        program: _table(program, clock, logs, usages[program], coverages[program])
        for program in PROGRAMS
    }


def _table(
    program: str, clock: WallClock, logs: Logs, usage: Usage, coverage: Coverage
) -> CommandTable:
    """What one of the two answers as any daemon does."""
    vlog = logs[program]
    memory = Memory(clock, vlog)
    memory.add(usage)
    table = CommandTable(f"{program} (Open vSwitch) {OVS_VERSION}")
    table.register(
        *logs.commands(program),
        *coverage.commands(),
        *memory.commands(),
    )
    return table


def _exit_command(ended: Callable[[], None] | None) -> Command:
    def run(request: Request, _words: Sequence[str]) -> None:
        if ended is None:
            request.fail("this switch is one of a lab's, which ends as a whole (vnet down)")
            return
        request.reply()
        ended()

    return Command("exit", "[--cleanup]", 0, 1, run)
