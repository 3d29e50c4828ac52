"""What ovsdb-server(1) is as a process: its options, its help, its start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.getopt import Argument, Option
from vnet.live.daemon.options import DAEMON_OPTIONS, LOG_OPTIONS, OTHER_OPTIONS, TLS_OPTIONS
from vnet.live.daemon.program import Program
from vnet.live.daemon.running import RunningDaemon
from vnet.live.daemon.usage import ACTIVE_METHODS, PASSIVE_METHODS, TLS_USAGE, daemon_usage
from vnet.live.directories import database_directory
from vnet.live.ovsdb.excluded import Excluded
from vnet.live.ovsdb.ovsdb_server import OvsdbServer
from vnet.live.ovsdb.saved_settings import SavedSettings
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.unixctl.coverage_names import OVSDB_SERVER_EVENTS
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command
from vnet.ovs.vlog.modules import OVSDB_SERVER_MODULES

if TYPE_CHECKING:
    from vnet.live.ovsdb.child import Child


class OvsdbServerProgram(Program):
    """One run of it."""

    name = "ovsdb-server"
    modules = OVSDB_SERVER_MODULES
    events = OVSDB_SERVER_EVENTS
    options = (
        Option("remote", Argument.REQUIRED),
        Option("run", Argument.REQUIRED),
        *OTHER_OPTIONS,
        *DAEMON_OPTIONS,
        *LOG_OPTIONS,
        *TLS_OPTIONS,
        Option("record", Argument.OPTIONAL),
        Option("replay", Argument.OPTIONAL),
        Option("sync-from", Argument.REQUIRED),
        Option("sync-exclude-tables", Argument.REQUIRED),
        Option("active"),
        Option("no-dbs"),
        Option("disable-file-column-diff"),
    )

    def __init__(self) -> None:
        self.remotes: list[str] = []
        self.run_command: str | None = None
        self.sync_from: str | None = None
        self.sync_exclude: str | None = None
        self.is_active = False
        self.adds_default_database = True
        self.writes_column_diffs = True
        self.files: list[str] = []

    def take_option(self, name: str, value: str | None) -> None:
        """What ovsdb-server has besides what all daemons have."""
        match name:
            case "remote":
                self.remotes.append(value or "")
            case "run":
                self.run_command = value
            case "sync-from":
                self.sync_from = value
            case "sync-exclude-tables":
                self.sync_exclude = value
            case "active":
                self.is_active = True
            case "no-dbs":
                self.adds_default_database = False
            case "disable-file-column-diff":
                self.writes_column_diffs = False
            case "record" | "replay":
                raise FatalError(f"--{name}: this server writes no replay files, and reads none")
            case _:
                super().take_option(name, value)

    def take_words(self, words: Sequence[str]) -> None:
        """Files of databases; without any, the usual one."""
        self._saved = SavedSettings()
        self.files = list(words)
        if not words and self.adds_default_database:
            self.files.append(f"{database_directory()}/conf.db")

    def usage(self) -> str:
        """As ovsdb-server's own."""
        return f"""\
ovsdb-server: Open vSwitch database server
usage: ovsdb-server [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is
{database_directory()}/conf.db.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE

Active JSON-RPC connection methods:
{ACTIVE_METHODS}Passive JSON-RPC connection methods:
{PASSIVE_METHODS}{TLS_USAGE}{daemon_usage(self.name)}
Syncing options:
  --sync-from=SERVER      sync DATABASE from active SERVER and start in
                          backup mode (except with --active)
  --sync-exclude-tables=DB:TABLE,...
                          exclude the TABLE in DB from syncing
  --active                with --sync-from, start in active mode

Other options:
  --run COMMAND           run COMMAND as subprocess then exit
  --unixctl=SOCKET        override default control socket name
  --disable-file-column-diff
                          don't use column diff in database file
  -h, --help              display this help message
  -V, --version           display version information
"""

    def start(self, daemon: RunningDaemon) -> None:
        """Open the databases and the remotes, and serve."""
        server = OvsdbServer(daemon.clock, vlog=daemon.vlog, tls=daemon.tls)
        daemon.at_exit(server.close)
        if not self.writes_column_diffs:
            server.write_differences(False)
            daemon.commands.register(_column_diff_command(server))
        is_backup = self._resume()
        for name in dict.fromkeys(self.files):
            try:
                server.open(name)
            except OvsdbError as error:
                raise FatalError(str(error)) from error
        server.remote_names.extend(dict.fromkeys(self.remotes))
        server.following.target = self.sync_from or ""
        server.following.excluded = Excluded(self.sync_exclude or "")
        complaint = server.configure()
        if complaint:
            raise FatalError(complaint)
        daemon.memory.add(server.usage)
        daemon.open_unixctl()
        child = None if self.run_command is None else _start_child(daemon, self.run_command)
        daemon.commands.register(*server.commands(), _exit_command(daemon))
        if is_backup:
            server.following.connect()
        self._saved.save(server)
        server.on_change = lambda: self._saved.save(server)
        daemon.ready()
        if child is None:
            server.log.info(self.version)
        else:
            child.look()

    def _resume(self) -> bool:
        """Go on as the server before this one, if one has crashed; whether to be a backup."""
        saved = self._saved.load()
        if saved is None:
            return self.sync_from is not None and not self.is_active
        self.files, self.remotes = saved.names, saved.remotes
        self.sync_from, self.sync_exclude = saved.sync_from, saved.excluded
        return saved.is_backup


def _start_child(daemon: RunningDaemon, command: str) -> Child:
    from vnet.live.ovsdb.child import Child  # Few servers have one.

    return Child(daemon, command)


def _column_diff_command(server: OvsdbServer) -> Command:
    """Once all servers that may read the files are new enough for them."""

    def enable(request: Request, _words: Sequence[str]) -> None:
        server.write_differences(True)
        request.reply()

    return Command("ovsdb/file/column-diff-enable", "", 0, 0, enable)


def _exit_command(daemon: RunningDaemon) -> Command:
    def exit_now(request: Request, _words: Sequence[str]) -> None:
        request.reply()
        daemon.exit()

    return Command("exit", "", 0, 0, exit_now)
