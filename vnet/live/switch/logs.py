"""The logs of the two daemons that one process stands for."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.live.daemon.log import Console, LogFile, Process
from vnet.ovs.unixctl.table import Command
from vnet.ovs.unixctl.vlog_commands import vlog_commands
from vnet.ovs.vlog.level import Destination, Level
from vnet.ovs.vlog.modules import OVSDB_SERVER_MODULES, VSWITCHD_MODULES
from vnet.ovs.vlog.vlog import Vlog

SWITCH, SERVER = PROGRAMS = "ovs-vswitchd", "ovsdb-server"

_MODULES = {SWITCH: VSWITCHD_MODULES, SERVER: OVSDB_SERVER_MODULES}


class Logs:
    """A log for each, by its name. What is worth a warning goes to stderr, behind ``host``."""

    def __init__(self, host: str = "") -> None:
        self._vlogs: dict[str, Vlog] = {}
        self._files: dict[str, LogFile] = {}
        for program, modules in _MODULES.items():
            vlog = self._vlogs[program] = Vlog(Process(program), modules)
            vlog.set_levels(None, Destination.CONSOLE, Level.WARN)
            vlog.set_sink(Destination.CONSOLE, Console(f"{host} " if host else ""))
            self._files[program] = LogFile(vlog)

    def __getitem__(self, program: str) -> Vlog:
        return self._vlogs[program]

    def file(self, program: str) -> LogFile:
        """Where a log is written to as a file, once somebody asks for that."""
        return self._files[program]

    def leave_console(self) -> None:
        """Nobody reads stderr any more."""
        for vlog in self._vlogs.values():
            vlog.set_levels(None, Destination.CONSOLE, Level.OFF)

    def commands(self, program: str) -> Sequence[Command]:
        """What can be asked and told about a log."""
        return vlog_commands(self._vlogs[program], self._files[program], "")
