"""One host's Open vSwitch as its tools see it: what clients find in its run directory.

There are ``db.sock``, a control socket for each of the two daemons that it stands for, and two
sockets for each bridge; the pidfiles are there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.ovsdb.ovsdb_server import OvsdbServer
from vnet.live.switch.logs import SERVER, SWITCH, Logs
from vnet.live.unixctl import UnixctlServer
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command, CommandTable
from vnet.ovs.vswitchd.appctl.table import switch_commands
from vnet.ovs.vswitchd.daemon import Daemon

_VERSION = "{} (Open vSwitch) 3.1.0"
_MANAGERS = "db:Open_vSwitch,Open_vSwitch,manager_options"


@contextmanager
def live_switch(
    clock: WallClock,
    directory: Path,
    server: OvsdbServer,
    daemon: Daemon,
    logs: Logs,
    *,
    ended: Callable[[], None] | None = None,
    commands: Sequence[Command] = (),
) -> Iterator[None]:
    """Let clients come while the block lasts: to the databases of ``server``, and to the ``daemon``
    that follows one of them. All that they can find answers when the block begins.

    ``ended`` is called when somebody tells one of the two daemons to exit; without it they do not.
    ``commands`` are what the switch answers besides the usual. Raises ``OSError`` where a socket
    cannot be made.
    """
    with ExitStack() as doors:
        server.add_remote("punix:db.sock")
        server.add_remote(_MANAGERS)
        complaint = server.configure()
        if complaint:
            raise OSError(complaint)
        sockets = BridgeSockets(clock, str(directory), logs[SWITCH])
        doors.callback(sockets.close)

        def configured() -> None:
            sockets.follow(dict.fromkeys(daemon.vswitchd.bridges, ()))

        configured()
        daemon.configured = configured
        leave = _exit_command(ended)
        for program, known in (
            (SERVER, (*server.commands(), leave)),
            (SWITCH, (*switch_commands(daemon.vswitchd), *commands, leave)),
        ):
            table = CommandTable(_VERSION.format(program))
            table.register(*known, *logs.commands(program))
            unixctl = UnixctlServer(
                clock, table, program, directory=str(directory), vlog=logs[program]
            )
            doors.callback(unixctl.close)
        daemon.tell_statistics_regularly()
        yield
        daemon.configured = _nothing


def _exit_command(ended: Callable[[], None] | None) -> Command:
    def run(request: Request, _words: Sequence[str]) -> None:
        if ended is None:
            request.fail("this switch is one of a lab's, which ends as a whole (vnet down)")
            return
        request.reply()
        ended()

    return Command("exit", "[--cleanup]", 0, 1, run)


def _nothing() -> None:
    """Nobody is to be told."""
