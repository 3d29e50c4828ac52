"""The logs of the two daemons that one process stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vnet.live.daemon.log import Console, LogFile, Process
from vnet.ovs.unixctl.table import Command
from vnet.ovs.unixctl.vlog_commands import vlog_commands
from vnet.ovs.vlog.level import Destination, Level
from vnet.ovs.vlog.modules import OVSDB_SERVER_MODULES, VSWITCHD_MODULES
from vnet.ovs.vlog.vlog import Vlog

SWITCH, SERVER = PROGRAMS = "ovs-vswitchd", "ovsdb-server"

_MODULES = {SWITCH: VSWITCHD_MODULES, SERVER: OVSDB_SERVER_MODULES}


class Logs:
    """A log for each, by its name. What is worth a warning goes to stderr, behind ``host``; with
    ``in_files`` there is to be a file for each in the run directory."""

    def __init__(self, host: str = "", *, in_files: bool = False) -> None:
        self.in_files = in_files
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

    def open_files(self, directory: Path) -> None:
        """Write both to files, called as the daemons' own are. Raises OSError."""
        for program, file in self._files.items():
            file.open(str(directory / f"{program}.log"))

    def close_files(self) -> None:
        """Write to none any more."""
        for file in self._files.values():
            file.close()

    def commands(self, program: str) -> Sequence[Command]:
        """What can be asked and told about a log."""
        return vlog_commands(self._vlogs[program], self._files[program], "")
